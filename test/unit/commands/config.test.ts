import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { config } from '../../../src/commands/config.ts';
import type { CommonFlags } from '../../../src/commands/flags.ts';
import { loadConfig, parseConfig } from '../../../src/config/load.ts';
import { testContext } from '../../support/context.ts';
import { testFolder } from '../../support/folder.ts';

const TEXT = `version: 1
source: tree
nodes:
  master: { ssh: master, role: server, dataInterface: eth0 }
transfer:
  retry: 1m
  maxRate: 5MB
x-list: &list [quay.io/a/b:c]
extraImages: *list
`;

async function printed(flags: Partial<CommonFlags>, origins: Readonly<Record<string, string>>) {
  const folder = testFolder();
  const file = join(folder, 'ciliumship.yaml');
  writeFileSync(file, TEXT);
  const { context, lines } = testContext(folder, flags);
  const own = { ...context, config: await loadConfig(file) };
  await config.run({ ...own, origins: new Map(Object.entries(origins)) });
  return { file, text: lines.join('') };
}

test('config shows each value with the line, flag or variable that it comes from', async () => {
  const flags = { maxRate: '20Mbit', timeout: '9m', nodes: 'master' };
  const origins = { maxRate: '--max-rate', timeout: 'CILIUMSHIP_TIMEOUT', nodes: '--nodes' };
  const { text, file } = await printed(flags, origins);
  for (const line of [
    `# ${file}`,
    '    ssh: master # ciliumship.yaml:4',
    '  retry: 1m # ciliumship.yaml:6',
    '  maxRate: 20Mbit # --max-rate',
    '  timeout: 9m # CILIUMSHIP_TIMEOUT',
    '  concurrency: 8 # default',
    'routes: [] # default',
    'cni: {} # default',
    '# also given: --nodes master',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  // Above the path where the line would be too wide with it.
  const source = `source: ${join(file, '../tree')}`;
  const [above, behind] = [`# ciliumship.yaml:2\n${source}\n`, `${source} # ciliumship.yaml:2\n`];
  expect(text.includes(above) || text.includes(behind), text).toBe(true);
  expect(text).toContain('devices:\n      # default\n      - eth0');
  expect(text).toContain('extraImages:\n  # ciliumship.yaml:9\n  - quay.io/a/b:c');
});

test('what it prints is a config that means the same', async () => {
  const { text, file } = await printed({}, {});
  expect(parseConfig(text, file)).toEqual(await loadConfig(file));
  expect(parse(text)).toMatchObject({ images: { cilium: { name: 'quay.io/cilium/cilium' } } });
});

test('for a script it gives the values as the program has them, and the sources', async () => {
  const { text } = await printed({ output: 'json' }, {});
  expect(JSON.parse(text)).toMatchObject({
    transfer: { retry: 60_000, maxRate: 5_000_000 },
    sources: { 'transfer.retry': 'ciliumship.yaml:6', 'build.engine': 'default' },
  });
});
