import { describe, expect, test } from 'vitest';
import { parseRate } from '../../../src/config/rate.ts';
import { limitedUplink } from '../../../src/transfer/uplink.ts';

async function* bytes(count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at += 100_000) yield Buffer.alloc(Math.min(100_000, count - at), 1);
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<number> {
  let count = 0;
  for await (const chunk of source) count += chunk.length;
  return count;
}

describe('a limited uplink', () => {
  test('passes every byte on, at its rate, for all nodes together', async () => {
    const uplink = limitedUplink(2_000_000);
    const started = performance.now();
    const counts = await Promise.all([
      drain(uplink(bytes(600_000))),
      drain(uplink(bytes(600_000))),
    ]);
    const seconds = (performance.now() - started) / 1000;
    expect(counts).toEqual([600_000, 600_000]);
    // 1.2 MB at 2 MB/s, less what may leave at once.
    expect(seconds).toBeGreaterThan(0.35);
  });
});

describe('a rate', () => {
  test.each([
    ['20Mbit', 2_500_000],
    ['2.5MB', 2_500_000],
    ['1gbit', 125_000_000],
    ['800kbit', 100_000],
  ])('%s is bytes per second', (text, rate) => {
    expect(parseRate(text)).toBe(rate);
  });

  test.each(['', '20', 'fast', '0Mbit', '-1MB', '1e9MB'])('%j is none', (text) => {
    expect(() => parseRate(text)).toThrowError(expect.objectContaining({ kind: 'usage' }));
  });
});
