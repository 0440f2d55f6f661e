import { expect, test } from 'vitest';
import { fitted } from '../../../src/output/screen.ts';

const TEXT = ['one', 'two', 'three and four', 'five'].join('\n');

test.each([
  [{ columns: 20, rows: 5 }, TEXT],
  [{ columns: 20, rows: 4 }, 'one\ntwo\n… 2 more lines'],
  // A line that is too long takes two.
  [{ columns: 8, rows: 5 }, 'one\ntwo\n… 2 more lines'],
  [{ columns: 8, rows: 1 }, '… 4 more lines'],
])('of a picture that is too high for %o, it is said how much is left out', (size, wanted) => {
  expect(fitted(TEXT, size)).toBe(wanted);
});
