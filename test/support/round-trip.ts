import { spawnSync } from 'node:child_process';
import { array, assert, constantFrom, oneof, property, string } from 'fast-check';
import { expect } from 'vitest';
import { quoteArgv } from '../../src/core/quote.ts';
import type { Argv } from '../../src/core/remote.ts';
import { seedOf } from './random.ts';

const seed = seedOf('D6');
export const ROUND_TRIPS = process.env['CILIUMSHIP_TEST_ALL'] === '1' ? 100_000 : 5_000;

const SPECIAL = `'"\\\`$!~#&|;<>(){}[]*? \t\n\r%=-^`;

/** Any text that an argument can hold, with more of what shells look at than chance would give. */
const word = oneof(
  string({ unit: 'binary', maxLength: 20 }),
  string({
    unit: constantFrom(...Array.from(SPECIAL), 'a', '$(id)', "'\\''", 'é'),
    maxLength: 20,
  }),
);
const words = array(
  word.filter((text) => !text.includes('\0')),
  { minLength: 50, maxLength: 50 },
);

/** Random words come out of a shell as they went in. */
export function expectRoundTrip([file, ...args]: Argv): void {
  const check = (list: readonly string[]): void => {
    const script = `${quoteArgv(['printf', '%s\\0', ...list])}\n`;
    const { stdout } = spawnSync(file, args, { input: script });
    expect(stdout.toString('utf8')).toBe(list.map((text) => `${text}\0`).join(''));
  };
  assert(property(words, check), { seed, numRuns: ROUND_TRIPS / 50 });
}
