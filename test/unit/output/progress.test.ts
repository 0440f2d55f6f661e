import { expect, test } from 'vitest';
import { progressText } from '../../../src/output/progress.ts';

test('bytes never go backwards when a transfer starts over', () => {
  const text = progressText(() => 0);
  text({ bytes: 80_000_000, total: 100_000_000 });
  expect(text({ bytes: 10_000_000, total: 100_000_000 })).toContain('80 MB of 100 MB');
});

test('rate and time left appear once they can be known', () => {
  let now = 0;
  const text = progressText(() => now);
  expect(text({ bytes: 0, total: 100_000_000 })).not.toContain('/s');
  now = 2000;
  expect(text({ bytes: 50_000_000, total: 100_000_000 })).toContain('25 MB/s · 2 s left');
});

test('the bar does not shrink when the total turns out to be larger than expected', () => {
  const text = progressText(() => 0);
  const full = (line: string): number => line.split('█').length - 1;
  const before = full(text({ bytes: 50_000_000, total: 100_000_000 }));
  expect(full(text({ bytes: 51_000_000, total: 200_000_000 }))).toBe(before);
});
