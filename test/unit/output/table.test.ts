import { describe, expect, test } from 'vitest';
import { textTable } from '../../../src/output/table.ts';
import { wrap } from '../../../src/output/wrap.ts';

const HEAD = ['node', 'system', 'kernel'];
const ROWS = [['worker', 'Debian GNU/Linux 12 (bookworm)', '6.8.0-31-generic']];

describe('a table', () => {
  test('is as wide as it wants where nobody says how wide a line may be', () => {
    expect(textTable(HEAD, ROWS, undefined).split('\n')).toEqual([
      'NODE    SYSTEM                          KERNEL',
      'worker  Debian GNU/Linux 12 (bookworm)  6.8.0-31-generic',
    ]);
  });

  test('folds its widest columns to fit a terminal, and loses nothing', () => {
    expect(textTable(HEAD, ROWS, 50).split('\n')).toEqual([
      'NODE    SYSTEM                    KERNEL',
      'worker  Debian GNU/Linux 12       6.8.0-31-generic',
      '        (bookworm)',
    ]);
  });

  test('is left alone where even folding would not make it fit', () => {
    expect(textTable(HEAD, ROWS, 20)).toBe(textTable(HEAD, ROWS, undefined));
  });

  test('keeps what is short on one line', () => {
    const rows = [['no pod here', 'a text that is rather long, and longer']];
    expect(textTable(['state', 'text'], rows, 40)).toContain('no pod here  a text');
  });
});

test('a long text is folded between words, with an indent of its own', () => {
  const text = wrap(Array.from({ length: 30 }, () => 'word').join(' '), '  files: ', '    ');
  expect(text.split('\n').map((line) => line.length)).toEqual([78, 78, 8]);
  expect(text.split('\n')[1]).toMatch(/^ {4}word/);
});
