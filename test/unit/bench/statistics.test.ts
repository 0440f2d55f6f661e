import { describe, expect, it } from 'vitest';
import { secondsOfTimes } from '../../../bench/processes.ts';
import type { Key, Sample } from '../../../bench/row.ts';
import { selectOnly } from '../../../bench/select.ts';
import { median, rowOf } from '../../../bench/statistics.ts';

const key: Key = {
  scenario: 'warm',
  tool: 'ciliumship',
  link: '1gbit',
  docker: '20.10 classic',
};

function sample(seconds: number, dockerSave = false): Sample {
  return {
    seconds,
    bytes: 1,
    rssMB: 1,
    cpuSeconds: 1,
    allCpuSeconds: 1,
    floorSeconds: 1,
    dockerSave,
  };
}

describe('the statistics of the benchmark', () => {
  it('take the middle of an odd count, and between the two of an even one', () => {
    expect(median([9, 1, 4])).toBe(4);
    expect(median([9, 1, 4, 6])).toBe(5);
    expect(() => median([])).toThrow('no values');
  });

  it('make one row of all rounds, in which one docker save is enough to say so', () => {
    const row = rowOf(key, [sample(3), sample(100, true), sample(2)]);
    expect(row).toMatchObject({ ...key, seconds: 3, rounds: 3, dockerSave: true });
  });

  it("add up what bash's times tells of itself and of its children", () => {
    expect(secondsOfTimes('0m0.100s 0m0.020s\n1m1.000s 0m2.500s\n')).toBeCloseTo(63.62);
  });
});

describe('the selection of the benchmark', () => {
  it('narrows only the kinds that are named', () => {
    const { scenarios, tools, links } = selectOnly('20mbit,warm,pipe,ciliumship');
    expect(scenarios).toEqual(['warm']);
    expect(links).toEqual(['20mbit']);
    expect(tools).toEqual(['ciliumship', 'pipe']);
    expect(selectOnly('warm').tools).toHaveLength(4);
  });

  it('refuses a word that it does not know, with those that it knows', () => {
    expect(() => selectOnly('wram')).toThrow(/--only wram: .*\n.*cold, warm, noop, ciliumship/);
  });
});
