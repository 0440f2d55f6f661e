import { describe, expect, test } from 'vitest';
import { writeSpeed } from '../../../../src/system/ssh/write-speed.ts';
import { writeWindow } from '../../../../src/system/ssh/write-window.ts';

const MIB = 1024 * 1024;

describe('the writes under way on a channel', () => {
  test('become many while answers come quickly, but never too many', () => {
    const window = writeWindow();
    for (let answers = 0; answers < 100; answers += 1) window.acknowledged(20);
    expect(window.size).toBe(16);
  });

  test('F17: become few on a slow link, so that a keepalive is not minutes late', () => {
    const window = writeWindow();
    for (let answers = 0; answers < 100; answers += 1) window.acknowledged(5_000);
    expect(window.size).toBe(2);
  });
});

describe('one more connection', () => {
  /** Whether so many connections that move `rate` bytes a second are held back. */
  function isHeldBack(
    rate: number,
    roundTrip: number,
    connections: number,
    took = 10_000,
  ): boolean {
    let clock = 0;
    const speed = writeSpeed(roundTrip, () => clock);
    clock = 2_000;
    speed.acknowledged(rate * 2, took);
    return speed.isHeldBack(connections);
  }

  test.each([
    ['is worth it when one window is all that a far node gets', 20 * MIB, 100, 1, true],
    ['is no use when the link is full', 2.5e6, 100, 1, false],
    ['is no use in one data centre', 190e6, 0.3, 1, false],
    ['is not made when the ones we have are not full', 21 * MIB, 100, 2, false],
    ['is worth it when two are full, too', 38 * MIB, 100, 2, true],
  ])('%s', (_title, rate, roundTrip, connections, wanted) => {
    expect(isHeldBack(rate, roundTrip, connections)).toBe(wanted);
  });

  test('is not made because the first question had to wait', () => {
    expect(isHeldBack(20 * MIB, 100, 1, 5)).toBe(false);
  });

  test('is not thought of before something was measured', () => {
    const speed = writeSpeed(100, () => 0);
    speed.acknowledged(100 * MIB, 200);
    expect(speed.isHeldBack(1)).toBe(false);
  });
});
