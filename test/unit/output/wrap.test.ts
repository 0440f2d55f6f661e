import { expect, test } from 'vitest';
import { fold, wrap } from '../../../src/output/wrap.ts';

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
