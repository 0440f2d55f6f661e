import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Digest } from '../../../src/core/digest.ts';
import { pruneStore } from '../../../src/image/prune.ts';
import { openStore } from '../../../src/image/store.ts';
import { selfDescription } from '../../../src/system/self.ts';
import { testFolder } from '../../support/folder.ts';

const USER = join(import.meta.dirname, '../../support/store-user.ts');
const ROUNDS = '25';

interface Tally {
  readonly pruned: number;
  readonly refused: number;
  readonly needed: readonly Digest[];
}

/** One process that uses the store; see there. */
function use(folder: string, name: string, ...more: readonly string[]) {
  return execa('node', [USER, folder, name, ...more], { reject: false, stdin: 'ignore' });
}

test('several processes use and prune one store at once, one of them is killed, and none misses a blob', async () => {
  const folder = join(testFolder(), 'store');
  const config = join(testFolder(), 'ciliumship.yaml');
  writeFileSync(config, 'version: 1');
  const users = [
    use(folder, 'one', ROUNDS),
    use(folder, 'two', ROUNDS),
    use(folder, 'three', ROUNDS, config),
  ];
  const killed = use(folder, 'four', '100000');
  await sleep(1_000);
  killed.kill('SIGKILL');
  const ended = await Promise.all(users);
  for (const { exitCode, stderr } of ended) expect(exitCode, stderr).toBe(0);
  expect((await killed).signal).toBe('SIGKILL');
  const tallies = ended.map(({ stdout }) => JSON.parse(stdout) as Tally);
  const sum = (of: (tally: Tally) => number): number =>
    tallies.reduce((all, tally) => all + of(tally), 0);
  // They were in each other’s way, and some of them alone now and then.
  expect(sum(({ refused }) => refused)).toBeGreaterThan(0);
  const store = await openStore(folder);
  const { signal } = new AbortController();
  await pruneStore(store, { maxSize: 0, self: selfDescription(), signal });
  const needed = tallies.flatMap((tally) => tally.needed).map((digest) => digest.slice(7));
  expect(needed).toHaveLength(4);
  expect(readdirSync(join(folder, 'blobs', 'sha256')).toSorted()).toEqual(needed.toSorted());
  expect(readdirSync(join(folder, 'users'))).toEqual([]);
  expect(readdirSync(folder)).not.toContain('lock');
});
