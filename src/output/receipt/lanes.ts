import { formatSeconds } from '../../core/text.ts';
import type { Receipt, Stage, StageStep } from './schema.ts';

/** One stage on one lane of the timeline; times in milliseconds since the start of the run. */
export interface Bar {
  readonly stage: string;
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  /** What it came to, for people. */
  readonly text: string;
  /** Bars of one row do not overlap. */
  readonly row: number;
}

/** What happened on one node, or, without a node, on this machine and to the cluster as a whole. */
export interface Lane {
  readonly node: string | undefined;
  readonly bars: readonly Bar[];
}

/** The timeline of a run: this machine first, then each node in the order of the receipt. */
export function lanesOf({ nodes, stages }: Receipt): readonly Lane[] {
  const worked = stages.flatMap(({ steps }) => steps.flatMap(({ node }) => node ?? []));
  const names = new Set([...nodes.map(({ node }) => node), ...worked]);
  return [undefined, ...names].map((node) => ({
    node,
    bars: inRows(stages.flatMap((stage) => barOf(stage, node) ?? [])),
  }));
}

/** The steps of a stage that belong to a lane, as one bar. */
function barOf({ stage, steps }: Stage, lane: string | undefined): Omit<Bar, 'row'> | undefined {
  const own = steps.filter(({ node }) => node === lane);
  if (own.length === 0) return undefined;
  return {
    stage,
    start: Math.min(...own.map(({ start }) => start)),
    end: Math.max(...own.map(({ end }) => end)),
    failed: own.some(({ state }) => state === 'failed'),
    text: own.flatMap((step) => cameTo(step) ?? []).join(' · '),
  };
}

function cameTo({ text, error }: StageStep): string | undefined {
  return error === undefined ? text : error.message;
}

/** Each bar goes into the first row that is free by then. */
function inRows(bars: readonly Omit<Bar, 'row'>[]): readonly Bar[] {
  const ends: number[] = [];
  return bars
    .toSorted((a, b) => a.start - b.start)
    .map((bar) => {
      const free = ends.findIndex((end) => end <= bar.start);
      const row = free === -1 ? ends.length : free;
      ends[row] = bar.end;
      return { ...bar, row };
    });
}

/** Distances that people count in, in milliseconds. */
const DISTANCES = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000],
  ...[10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600].map((seconds) => seconds * 1000),
];

/** Round moments for the axis of a timeline, at most six, none of them close to its end. */
export function ticks(total: number): readonly number[] {
  const hours = Math.ceil(total / 5 / 3_600_000) * 3_600_000;
  const distance = DISTANCES.find((one) => one >= total / 5) ?? hours;
  const count = Math.max(1, Math.ceil((total * 0.9) / distance));
  return Array.from({ length: count }, (_, index) => index * distance);
}

/** Seconds of each stage: a head with this machine and the nodes, and a row for each stage. */
export function stageSeconds(receipt: Receipt): {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const lanes = lanesOf(receipt).filter(({ bars }) => bars.length > 0);
  const stages = [...new Set(receipt.stages.map(({ stage }) => stage))];
  return {
    head: lanes.map(({ node }) => node ?? 'this machine'),
    rows: stages.map((stage) => [stage, ...lanes.map((lane) => took(lane, stage))]),
  };
}

function took({ bars }: Lane, stage: string): string {
  const own = bars.filter((bar) => bar.stage === stage);
  if (own.length === 0) return '';
  const seconds = own.reduce((sum, { start, end }) => sum + (end - start) / 1000, 0);
  return own.some(({ failed }) => failed) ? 'failed' : formatSeconds(seconds);
}
