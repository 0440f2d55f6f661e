import { spawnSync } from 'node:child_process';
import { array, assert, constantFrom, oneof, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteArgv, quoteWord } from '../../../src/core/quote.ts';
import type { Argv } from '../../../src/core/remote.ts';
import { seedOf } from '../../support/random.ts';

/** Every shell that a node may have as /bin/sh or as the shell of a login, as far as it is here. */
const SHELLS: readonly Argv[] = [
  ['sh'],
  ['dash'],
  ['bash'],
  ['bash', '--posix'],
  ['busybox', 'sh'],
  ['zsh', '-f'],
  ['ksh'],
];
const present = SHELLS.filter(([file]) => spawnSync(file, ['-c', 'true']).error === undefined);
const seed = seedOf('D6');
const COUNT = process.env['CILIUMSHIP_TEST_ALL'] === '1' ? 100_000 : 5_000;

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

describe('quoteArgv', () => {
  test.each(present.map((shell) => [shell.join(' '), shell] as const))(
    `D6: ${COUNT} random words come out of %s as they went in`,
    (_, [file, ...args]) => {
      const check = (list: readonly string[]): void => {
        const script = `${quoteArgv(['printf', '%s\\0', ...list])}\n`;
        const { stdout } = spawnSync(file, args, { input: script });
        expect(stdout.toString('utf8')).toBe(list.map((text) => `${text}\0`).join(''));
      };
      assert(property(words, check), { seed, numRuns: COUNT / 50 });
    },
    600_000,
  );

  test('D6: a NUL, which no argument can hold, is refused', () => {
    expect(() => quoteWord('a\0b')).toThrow('an argument holds a NUL character');
  });

  test('plain words stay readable', () => {
    expect(quoteArgv(['k3s', 'ctr', '-n', 'k8s.io', 'a b'])).toBe("k3s ctr -n k8s.io 'a b'");
    expect(quoteArgv(['echo', ''])).toBe("echo ''");
    expect(quoteArgv(['ctr', 'name==a:1', '--x=%y'])).toBe('ctr name==a:1 --x=%y');
  });

  test('D6: a word that zsh takes for a command to find is no plain one', () => {
    expect(quoteArgv(['echo', '=%', '=ls', '%1'])).toBe("echo '=%' '=ls' '%1'");
  });
});
