import { ratio, type Results } from './results.ts';
import type { Link, Row, Scenario, Tool } from './row.ts';

/** A figure that we promised, and what was measured. */
export interface Target {
  readonly promise: string;
  /** Undefined where it does not matter. */
  readonly docker: string | undefined;
  readonly measured: string;
  readonly reached: boolean;
}

interface Ratio {
  readonly promise: string;
  readonly scenario: Scenario;
  readonly link: Link;
  readonly tool: Tool;
  readonly field: 'seconds' | 'bytes';
  readonly least: number;
}

const faster = (scenario: Scenario, tool: Tool, link: Link, least: number): Ratio => ({
  promise: `${scenario} on ${link}: ${least === 1 ? 'as fast as' : `${least}× faster than`} ${tool}`,
  ...{ scenario, link, tool, field: 'seconds', least },
});

const lighter = (scenario: Scenario, tool: Tool, link: Link, least: number): Ratio => ({
  promise: `${scenario} on ${link}: ${least}× fewer bytes than ${tool}`,
  ...{ scenario, link, tool, field: 'bytes', least },
});

const LINKS: readonly Link[] = ['unshaped', '1gbit', '100mbit', '20mbit'];
const RATIOS: readonly Ratio[] = [
  faster('cold', 'procedure', '1gbit', 3),
  ...LINKS.map((link) => faster('cold', 'pipe', link, 1)),
  ...LINKS.map((link) => faster('cold', 'registry', link, 1)),
  faster('warm', 'procedure', '1gbit', 5),
  faster('warm', 'registry', '20mbit', 2),
  lighter('warm', 'procedure', '20mbit', 45),
  lighter('warm', 'registry', '20mbit', 5),
];

/** How much longer than nothing could be faster than a cold ship may take. */
const FLOORS = 1.25;
const NOOP_SECONDS = 2;
const START_MS = 300;

/** Every promise whose figures were measured. */
export function targets({ rows, startMs }: Results): readonly Target[] {
  const dockers = [...new Set(rows.map(({ docker }) => docker))];
  return [
    ...dockers.flatMap((docker) => RATIOS.flatMap((one) => ratioTarget(rows, docker, one))),
    ...rows
      .filter(({ scenario, tool }) => scenario === 'cold' && tool === 'ciliumship')
      .map(coldTarget),
    ...rows.filter(isOurNoop).map(noopTarget),
    {
      promise: `start to first output in ${START_MS} ms`,
      docker: undefined,
      measured: `${startMs.toFixed(0)} ms`,
      reached: startMs <= START_MS,
    },
  ];
}

function ratioTarget(rows: readonly Row[], docker: string, wanted: Ratio): readonly Target[] {
  const { promise, tool, field, least } = wanted;
  const found = ratio(rows, { ...wanted, docker }, tool, field);
  if (found === undefined) return [];
  return [{ promise, docker, measured: `${found.toFixed(1)}×`, reached: found >= least }];
}

function coldTarget({ link, docker, seconds, floorSeconds }: Row): Target {
  return {
    promise: `cold on ${link}: within ${FLOORS}× of the floor`,
    docker,
    measured: `${(seconds / floorSeconds).toFixed(2)}× of ${floorSeconds.toFixed(1)} s`,
    reached: seconds <= FLOORS * floorSeconds,
  };
}

function isOurNoop({ scenario, tool }: Row): boolean {
  return scenario === 'noop' && tool === 'ciliumship';
}

function noopTarget({ link, docker, seconds, dockerSave }: Row): Target {
  return {
    promise: `noop on ${link}: ${NOOP_SECONDS} s without docker save`,
    docker,
    measured: `${seconds.toFixed(2)} s, ${dockerSave ? 'with' : 'without'} docker save`,
    reached: seconds <= NOOP_SECONDS && !dockerSave,
  };
}
