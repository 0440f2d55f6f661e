import { expect, test } from 'vitest';
import { fitted } from '../../../src/output/screen.ts';

const TEXT = ['one', 'two', 'three and four', 'five', '', '4 lines'].join('\n');

test.each([
  [{ columns: 20, rows: 7 }, TEXT],
  [{ columns: 20, rows: 6 }, 'one\ntwo\nthree and four\n… 1 more line\n4 lines'],
  [{ columns: 20, rows: 5 }, 'one\ntwo\n… 2 more lines\n4 lines'],
  // A line that is too long takes two.
  [{ columns: 8, rows: 6 }, 'one\ntwo\n… 2 more\n lines\n4 lines'],
  [{ columns: 8, rows: 3 }, ' lines\n4 lines'],
  [{ columns: 20, rows: 2 }, '4 lines'],
])('of a picture that is too high for %o, what it comes to is seen', (size, wanted) => {
  expect(fitted(TEXT, '4 lines', size)).toBe(wanted);
});

test('a summary that stands in the midst of a text is shown at its end', () => {
  const text = 'one\ntwo\n\n1 difference\n\nmended by\n  ciliumship push';
  const size = { columns: 20, rows: 5 };
  expect(fitted(text, '1 difference', size)).toBe('one\ntwo\n… 3 more lines\n1 difference');
});
