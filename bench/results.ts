import type { RolloutRow } from './rollout.ts';
import type { Figure, Key, Link, Row, Scenario, Tool } from './row.ts';

/** What a run of the benchmark writes, and docs/performance.json keeps. */
export interface Results {
  readonly rows: readonly Row[];
  /** Milliseconds from the start of the process to its first output. */
  readonly startMs: number;
  /** Of rollouts to the lab, when they were measured. */
  readonly rollout?: RolloutRow | undefined;
  /** The machine and the day of the run. */
  readonly machine: string;
  readonly date: string;
}

/** The row of a tool; undefined when it was not measured. */
export function find(rows: readonly Row[], key: Key): Row | undefined {
  return rows.find(
    (row) =>
      row.scenario === key.scenario &&
      row.tool === key.tool &&
      row.link === key.link &&
      row.docker === key.docker,
  );
}

/** Where tools are compared. */
export interface Place {
  readonly scenario: Scenario;
  readonly link: Link;
  readonly docker: string;
}

/**
 * How many times as much a tool needed as ciliumship did.
 *
 * @returns undefined when one of the two was not measured
 */
export function ratio(
  rows: readonly Row[],
  place: Place,
  tool: Tool,
  field: Figure,
): number | undefined {
  const ours = find(rows, { ...place, tool: 'ciliumship' });
  const other = find(rows, { ...place, tool });
  return ours === undefined || other === undefined ? undefined : other[field] / ours[field];
}

/** Rows of a new run in the place of those that it measured anew: a link is one run. */
export function merged(old: readonly Row[], fresh: readonly Row[]): readonly Row[] {
  const run = ({ link, docker, scenario }: Row): string => `${docker}/${link}/${scenario}`;
  const replaced = new Set(fresh.map(run));
  return [...old.filter((row) => !replaced.has(run(row))), ...fresh];
}
