import type { Figure, Key, Row, Sample } from './row.ts';

/** The middle of some numbers; with an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error('no values to take a median of');
  return (low + high) / 2;
}

/** One row of the samples of all rounds. */
export function rowOf(key: Key, samples: readonly Sample[]): Row {
  const middle = (field: Figure): number => median(samples.map((sample) => sample[field]));
  return {
    ...key,
    seconds: round(middle('seconds')),
    bytes: Math.round(middle('bytes')),
    rssMB: Math.round(middle('rssMB')),
    cpuSeconds: round(middle('cpuSeconds')),
    allCpuSeconds: round(middle('allCpuSeconds')),
    floorSeconds: round(middle('floorSeconds')),
    dockerSave: samples.some(({ dockerSave }) => dockerSave),
    rounds: samples.length,
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
