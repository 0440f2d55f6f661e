import { describe, expect, test } from 'vitest';
import { lanesOf, ticks } from '../../../../src/output/receipt/lanes.ts';
import { failedReceipt, shipReceipt, stageOf } from '../../../support/receipts.ts';

describe('the timeline of a run', () => {
  test('has a lane for this machine and one for each node', () => {
    const stages = [stageOf('Build', [0, 50]), stageOf('Send', [50, 90], ['worker'])];
    expect(lanesOf(shipReceipt(['master', 'worker'], { stages }))).toEqual([
      { node: undefined, bars: [{ ...BAR, stage: 'Build', end: 50 }] },
      { node: 'master', bars: [] },
      {
        node: 'worker',
        bars: [{ ...BAR, stage: 'Send', start: 50, end: 90, text: 'worker came to an end' }],
      },
    ]);
  });

  test('has a lane for a node that a deploy worked on and nothing was shipped to', () => {
    const stages = [stageOf('Roll out', [0, 50], ['worker'])];
    const lanes = lanesOf(shipReceipt([], { stages }));
    expect(lanes.map(({ node, bars }) => [node, bars.length])).toEqual([
      [undefined, 0],
      ['worker', 1],
    ]);
  });

  test('puts what happens at the same time into rows of its own', () => {
    const times = { a: [0, 30], b: [10, 20], c: [20, 40], d: [30, 50] } as const;
    const stages = Object.entries(times).map(([name, time]) => stageOf(name, time));
    const [here] = lanesOf(shipReceipt([], { stages }));
    expect(here?.bars.map(({ stage, row }) => `${stage}${row}`)).toEqual(['a0', 'b1', 'c1', 'd0']);
  });

  test('marks what failed, with its reason', () => {
    const bar = lanesOf(failedReceipt('worker: no room'))
      .find(({ node }) => node === 'worker')
      ?.bars.find(({ failed }) => failed);
    expect(bar).toMatchObject({ stage: 'Send', text: 'worker: no room' });
  });
});

const BAR = { start: 0, failed: false, text: 'Build came to an end', row: 0 };

test.each([
  [41_000, [0, 10_000, 20_000, 30_000]],
  [131_000, [0, 30_000, 60_000, 90_000]],
  [900, [0, 200, 400, 600, 800]],
  [1, [0]],
  [6 * 3_600_000, [0, 7_200_000, 14_400_000]],
])('an axis of %i ms has few and round moments', (total, moments) => {
  expect(ticks(total)).toEqual(moments);
});
