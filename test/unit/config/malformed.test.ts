import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Kind } from '../../support/broken-from.ts';
import { testFolder } from '../../support/folder.ts';
import { seedOf } from '../../support/random.ts';
import type { Outcome } from '../../support/read-broken.ts';

/** Of each kind: some in every run, 20,000 with CILIUMSHIP_TEST_ALL=1. */
const COUNT = process.env['CILIUMSHIP_TEST_ALL'] === '1' ? 20_000 : 100;
const HOUR = 3_600_000;
const PROGRAM = fileURLToPath(import.meta.resolve('../../support/read-broken.ts'));
/** Milliseconds of processor time that one file may take. */
const SLOW = 1000;
/** Bytes, in one process for all; of each in one of its own: test/real/files/hostile-files.test.ts. */
const MEMORY = 130_000_000;

/** What a process of its own made of broken files, those that are made to take long among them. */
async function readBroken(kind: Kind, seed: number): Promise<Outcome> {
  const words = ['--expose-gc', PROGRAM, kind, testFolder(), String(COUNT), String(seed)];
  const { stdout } = await execa(process.execPath, words);
  return JSON.parse(stdout) as Outcome;
}

test.each([
  ['F56', 'config'],
  ['F37', 'values'],
  ['F50', 'lock'],
] as const)(
  `%s: ${COUNT} broken %s files are read, or refused at once with line and reason`,
  { timeout: HOUR },
  async (_, kind) => {
    const { files, refused, wrong, slowest, memory } = await readBroken(kind, seedOf(kind));
    expect(wrong).toEqual([]);
    expect(files).toBeGreaterThan(COUNT);
    expect(refused).toBeGreaterThan(COUNT / 10);
    expect(slowest.ms, slowest.file).toBeLessThan(SLOW);
    expect(memory).toBeLessThan(MEMORY);
  },
);
