import { expect, test } from 'vitest';
import { fold, foldLines, wrap } from '../../../src/output/wrap.ts';

test('a text is folded between words, and no word is cut', () => {
  expect(wrap('one two three', '- ', '  ', 9)).toBe('- one two\n  three');
  expect(wrap('a/very/long/path x', '', '', 9)).toBe('a/very/long/path\nx');
});

test('what a line that is folded goes on with stands deeper than the line', () => {
  const line = `  sudo sh -c 'rm -rf "$@"' remove /etc/cni/net.d`;
  expect(fold(line, '    ', 40)).toBe(
    `      sudo sh -c 'rm -rf "$@"' remove\n          /etc/cni/net.d`,
  );
  expect(fold('removes  a file', '    ', 40)).toBe('    removes  a file');
});

test('lines of a text are folded each by itself, and a narrow one stays as it is', () => {
  const long = `note: ${'word '.repeat(20).trim()}`;
  const [first = '', ...others] = foldLines(`${long}\n  short`).split('\n');
  expect(first.length).toBeLessThanOrEqual(process.stderr.columns || 78);
  expect(others.at(-1)).toBe('  short');
  expect([first, ...others.slice(0, -1).map((line) => line.trim())].join(' ')).toBe(long);
});
