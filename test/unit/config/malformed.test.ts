import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { ShipError } from '../../../src/core/errors.ts';
import { checkValues } from '../../../src/deploy/check-values.ts';
import { parseUserValues } from '../../../src/deploy/user-values.ts';
import { testFolder } from '../../support/folder.ts';
import { mutations } from '../../support/mutated.ts';
import { seedOf } from '../../support/random.ts';

/** Of each kind: some in every run, 20,000 with CILIUMSHIP_TEST_ALL=1. */
const COUNT = process.env['CILIUMSHIP_TEST_ALL'] === '1' ? 20_000 : 500;
/** Milliseconds for all of them, on a machine that others use too. */
const MINUTES = 300_000;
const CONFIG = `version: 1
source: ../cilium
tag: dev
nodes:
  master: { ssh: master, role: server, dataInterface: eth0, dataAddress: 10.4.100.1/16, devices: [eth0], profile: a }
  worker: { ssh: admin@worker:22, role: agent, dataAddress: 10.4.100.2/16, devices: [eth1], profile: b }
images:
  agent: { name: example.org/agent, dockerfile: Dockerfile, buildArgs: { A: b } }
routes: [{ to: 10.5.0.0/16, via: eth0, node: master }]
transfer: { concurrency: 8, maxRate: 20Mbit }
deploy: { timeout: 5m, offline: true, canary: worker }
hooks: { before-push: ./hook, timeout: 1m }
`;
const VALUES = readFileSync(
  resolve(import.meta.dirname, '../../../values/cilium-values.yaml'),
  'utf8',
);

/** Milliseconds of processor time: how busy the machine is with others does not count. */
async function timed(act: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** @returns what it was refused with, a ShipError of class `config` that says where; else undefined */
function requireRefusal(error: unknown, text: string): ShipError {
  const seen = `${String(error)} for ${JSON.stringify(text).slice(0, 3000)}`;
  expect(error, seen).toBeInstanceOf(ShipError);
  const refused = error as ShipError;
  expect(refused.kind, seen).toBe('config');
  expect([...refused.details, refused.hint ?? ''].join('').length, seen).toBeGreaterThan(0);
  return refused;
}

test(
  'F55: a config that is broken anyhow is read, or refused with a line and a reason',
  async () => {
    const file = join(testFolder(), 'ciliumship.yaml');
    const saying: string[] = [];
    for (const text of mutations(CONFIG, COUNT, seedOf('broken configs'))) {
      writeFileSync(file, text);
      try {
        await loadConfig(file);
      } catch (error) {
        saying.push(requireRefusal(error, text).details.join('\n'));
      }
    }
    const place = /line \d+: |is missing|must be|cannot be read|aliases/;
    expect(saying.filter((details) => !place.test(details))).toEqual([]);
    expect(saying.length).toBeGreaterThan(COUNT / 2);
  },
  MINUTES,
);

test(
  'F37: values that are broken anyhow are read, or refused with a line and a reason',
  () => {
    let refused = 0;
    const chart = { defaults: { MTU: 0, hubble: { relay: {} } }, read: new Set<string>(['bpf']) };
    for (const text of mutations(VALUES, COUNT, seedOf('broken values'))) {
      try {
        expect(Array.isArray(checkValues(parseUserValues(text, 'values.yaml'), chart))).toBe(true);
      } catch (error) {
        requireRefusal(error, text);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(COUNT / 10);
  },
  MINUTES,
);

describe('a file that is made to take long', () => {
  const many = (line: (index: number) => string, count = 2500): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('\n');
  const bomb = many((i) => `x${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`, 9);
  const hostile: Readonly<Record<string, string>> = {
    'lists in lists': `a: ${'['.repeat(90_000)}`,
    'trees in trees': `a: ${'{a: '.repeat(20_000)}`,
    'an alias bomb': `x0: &a0 [lol]\n${bomb}`,
    'an alias into itself': 'nodes: &a { b: *a }',
    'unknown keys': many((i) => `key${i}: 1`, 8000),
    'a key again and again': 'a: 1\n'.repeat(15_000),
    'wrong nodes': `version: 1\nsource: .\nnodes:\n${many((i) => `  n${i}: { rle: agent }`)}`,
    '256 nodes far from each other': `version: 1\nsource: .\nnodes:\n${many((i) => `  n${i}: { ssh: a${i}, role: server, dataAddress: 10.${i}.0.1/24 }`, 256)}`,
    quotes: '"'.repeat(90_000),
    '100 MB': 'a'.repeat(100_000_000),
  };

  test.each(Object.entries(hostile))('F56: is refused at once: %s', async (_, text) => {
    const file = join(testFolder(), 'ciliumship.yaml');
    writeFileSync(file, text);
    let refused: unknown;
    const took = await timed(() => loadConfig(file).catch((error: unknown) => (refused = error)));
    requireRefusal(refused, text.slice(0, 100));
    expect((refused as ShipError).details.length).toBeLessThanOrEqual(51);
    // Under a second on a machine of its own; here others take its cache and clock.
    expect(took).toBeLessThan(8000);
  });
});
