import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BROKEN_FROM, type Kind } from '../../support/broken-from.ts';
import { ciliumship } from '../../support/cli.ts';
import { testFolder } from '../../support/folder.ts';
import { HOSTILE } from '../../support/hostile-files.ts';

/** What of each kind reads it before it does anything else. */
const COMMANDS: Readonly<Record<Kind, readonly string[]>> = {
  config: ['config'],
  values: ['deploy'],
  lock: ['drift', '--only', 'local'],
};
const FILES: Readonly<Record<Kind, string>> = {
  config: 'ciliumship.yaml',
  values: 'values.yaml',
  lock: 'ciliumship.lock',
};
/** Those that take most; all with CILIUMSHIP_TEST_ALL=1. */
const chosen = (kind: Kind): readonly string[] =>
  process.env['CILIUMSHIP_TEST_ALL'] === '1'
    ? [...Object.keys(HOSTILE[kind]), '100 MB']
    : ['quotes', 'tags that nobody knows', '100 MB'];
const MEMORY = 200_000_000;
const LARGE = 100_000_000;

/** Tells at the end of a process what it took, in a file. */
const TELL = `import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(process.env.TOLD, JSON.stringify(process.resourceUsage())));`;

interface Took {
  /** Kilobytes. */
  readonly maxRSS: number;
}

/** A folder with a config, a chart and a lock that are as they should be. */
function goodFolder(): string {
  const folder = testFolder();
  mkdirSync(join(folder, 'chart/templates'), { recursive: true });
  const nodes = 'nodes:\n  master: { ssh: "127.0.0.1:9", role: server }\n';
  const deploy = 'deploy: { chart: chart, values: values.yaml }\n';
  writeFileSync(join(folder, 'chart/Chart.yaml'), 'name: cilium\nversion: 1.19.6\n');
  writeFileSync(join(folder, 'chart/values.yaml'), BROKEN_FROM.values);
  writeFileSync(join(folder, 'ciliumship.yaml'), `version: 1\nsource: .\n${nodes}${deploy}`);
  writeFileSync(join(folder, 'tell.mjs'), TELL);
  return folder;
}

describe.each(['config', 'values', 'lock'] as const)('a hostile %s file', (kind) => {
  test.each(chosen(kind))(
    'F56: is refused by the whole command, in 200 MB of memory: %s',
    async (name) => {
      const folder = goodFolder();
      const [file, told] = [join(folder, FILES[kind]), join(folder, 'told')];
      const texts: Readonly<Record<string, string>> = HOSTILE[kind];
      writeFileSync(file, texts[name] ?? '');
      if (name === '100 MB') truncateSync(file, LARGE);
      const NODE_OPTIONS = `--import ${join(folder, 'tell.mjs')}`;
      const env = { NODE_OPTIONS, TOLD: told, XDG_STATE_HOME: folder };
      const ended = await ciliumship(COMMANDS[kind], { cwd: folder, env });
      expect(ended.code, ended.stderr).toBe(2);
      expect(ended.stderr).toMatch(/line \d+: |is missing|aliases|\d bytes/);
      expect(ended.stderr).toContain('next: ');
      const { maxRSS } = JSON.parse(readFileSync(told, 'utf8')) as Took;
      expect(maxRSS * 1024).toBeLessThan(MEMORY);
    },
  );
});
