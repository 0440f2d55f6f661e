import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { quoteArgv, quoteWord } from '../../../src/core/quote.ts';
import type { Argv } from '../../../src/core/remote.ts';
import { expectRoundTrip, ROUND_TRIPS } from '../../support/round-trip.ts';

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
describe('quoteArgv', () => {
  test.each(present.map((shell) => [shell.join(' '), shell] as const))(
    `D6: ${ROUND_TRIPS} random words come out of %s as they went in`,
    (_, shell) => expectRoundTrip(shell),
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
