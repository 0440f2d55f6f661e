import { ShipError } from './errors.ts';
import type { Argv } from './remote.ts';

/** `=word` is a path to zsh, and `%word` a job to some shells. */
const PLAIN = /^[A-Za-z0-9_@+:,./-][A-Za-z0-9_@%+=:,./-]*$/;

/**
 * Quotes one word for `/bin/sh`. A single-quoted string has no special characters but the quote
 * itself, so this holds for every shell and every byte except NUL, which no argument can hold.
 *
 * @throws ShipError `usage` when the word holds a NUL
 */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new ShipError('usage', 'an argument holds a NUL character');
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The one place where a remote command line is made from its arguments. */
export function quoteArgv(argv: Argv): string {
  return argv.map(quoteWord).join(' ');
}
