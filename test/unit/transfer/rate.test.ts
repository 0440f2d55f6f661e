import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import { measureRate } from '../../../src/transfer/rate.ts';
import { fakeNode, type Answer } from '../../support/fake-node.ts';

const { signal } = new AbortController();

function measured(answer: Answer): Promise<number | undefined> {
  return measureRate(
    fakeNode(() => answer),
    signal,
  );
}

describe('the rate of a link', () => {
  test('is a quarter of a megabyte over the time that the node took for it', async () => {
    const rate = await measured('1764038400000000000 1764038400250000000\n');
    expect(rate).toBeCloseTo((256 * 1024) / 0.25, -3);
  });

  test.each<[string, Answer]>([
    ['has a clock without nanoseconds', '1764038400 1764038401\n'],
    ['prints a letter for them', '1764038400N 1764038401N\n'],
    ['set its clock back meanwhile', '1764038400250000000 1764038400000000000\n'],
    ['lacks one of the programs', { code: 1 }],
    ['prints nothing', ''],
  ])('is unknown of a node that %s', async (_, answer) => {
    expect(await measured(answer)).toBeUndefined();
  });

  test('is not made up when the connection is lost', async () => {
    const lost = new ShipError('network', 'worker: connection lost');
    await expect(measured(lost)).rejects.toBe(lost);
  });
});
