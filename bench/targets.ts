import { ratio, type Results } from './results.ts';
import type { RolloutRow } from './rollout.ts';
import { LINKS, type Link, type Row, type Scenario, type Tool } from './row.ts';

/** A figure that we promised, and what was measured. */
export interface Target {
  readonly promise: string;
  /** Undefined where it does not matter. */
  readonly docker: string | undefined;
  readonly measured: string;
  readonly reached: boolean;
  /** What stands in the way as long as it is missed. */
  readonly why: string;
}

interface Ratio {
  readonly promise: string;
  readonly scenario: Scenario;
  readonly link: Link;
  readonly tool: Tool;
  readonly field: 'seconds' | 'bytes';
  readonly least: number;
  readonly why: string;
}

/** Why a cold ship is slower than it could be. */
const TWICE =
  'Cold: `docker save` hands out nothing before it has written everything to disk, and until then one ' +
  'of two processors has nothing to do; from then on all of them are busy until the end. On each node ' +
  'every layer is also written and hashed once more before containerd gets it, so that nothing is ' +
  'imported that was not proved, and our work on a node gives way to everything else there (nice 10), ' +
  'which the work of the other tools does not. Of 15 s of processor that our process and zstd take, ' +
  'where the pipe takes 7 s, packing is 5 s; the rest is reading what Docker saved, and SSH in ' +
  'JavaScript, which makes a cipher for every 32 KiB.';
const SAME_PROCESSORS =
  'Cold against the procedure: both nodes unpack on the processors that everything else runs on. What ' +
  'containerd needs to take in and unpack the images, 6 s of processor for each node, is the same for ' +
  'every tool.';
const SAVE =
  'Warm: with the classic store `docker save` writes the whole image whatever changed, and nothing can ' +
  'be packed before it has.';
const PATCH_SIZE =
  'Bytes: a patch of 4.5 MB here. One of 3.8 MB takes 0.9 s longer to make, more than it saves at ' +
  '20 Mbit/s.';
const START =
  'Start: Node needs 40 ms, and the packages that every command uses most of the rest, even compiled.';

const faster = (scenario: Scenario, tool: Tool, link: Link, least: number, why: string): Ratio => ({
  promise: `${scenario} on ${link}: ${least === 1 ? 'as fast as' : `${least}× faster than`} ${tool}`,
  ...{ scenario, link, tool, field: 'seconds', least, why },
});

const lighter = (scenario: Scenario, tool: Tool, link: Link, least: number): Ratio => ({
  promise: `${scenario} on ${link}: ${least}× fewer bytes than ${tool}`,
  ...{ scenario, link, tool, field: 'bytes', least, why: PATCH_SIZE },
});

const RATIOS: readonly Ratio[] = [
  faster('cold', 'procedure', '1gbit', 3, SAME_PROCESSORS),
  ...LINKS.map((link) => faster('cold', 'pipe', link, 1, TWICE)),
  ...LINKS.map((link) => faster('cold', 'registry', link, 1, TWICE)),
  faster('warm', 'procedure', '1gbit', 5, SAVE),
  faster('warm', 'registry', '20mbit', 2, SAVE),
  lighter('warm', 'procedure', '20mbit', 45),
  lighter('warm', 'registry', '20mbit', 5),
];

/** How much longer than nothing could be faster than a cold ship may take. */
const FLOORS = 1.25;
const NOOP_SECONDS = 2;
const START_MS = 300;

const ROLLOUT_SECONDS = 3;
const ROLLOUT =
  'Rollout: the start, connections and a look at both machines, one more at each before its agent ' +
  'goes, some twenty calls to the API server, and what is validated of each new agent.';

/** Every promise whose figures were measured. */
export function targets({ rows, startMs, rollout }: Results): readonly Target[] {
  const dockers = [...new Set(rows.map(({ docker }) => docker))];
  return [
    ...dockers.flatMap((docker) => RATIOS.flatMap((one) => ratioTarget(rows, docker, one))),
    ...rows
      .filter(({ scenario, tool }) => scenario === 'cold' && tool === 'ciliumship')
      .map(coldTarget),
    ...rows.filter(isOurNoop).map(noopTarget),
    ...(rollout === undefined ? [] : [rolloutTarget(rollout)]),
    {
      promise: `start to first output in ${START_MS} ms`,
      docker: undefined,
      measured: `${startMs.toFixed(0)} ms`,
      reached: startMs <= START_MS,
      why: START,
    },
  ];
}

function ratioTarget(rows: readonly Row[], docker: string, wanted: Ratio): readonly Target[] {
  const { promise, tool, field, least, why } = wanted;
  const found = ratio(rows, { ...wanted, docker }, tool, field);
  if (found === undefined) return [];
  return [{ promise, docker, measured: `${found.toFixed(1)}×`, reached: found >= least, why }];
}

function coldTarget({ link, docker, seconds, floorSeconds }: Row): Target {
  return {
    promise: `cold on ${link}: within ${FLOORS}× of the floor`,
    docker,
    measured: `${(seconds / floorSeconds).toFixed(2)}× of ${floorSeconds.toFixed(1)} s`,
    reached: seconds <= FLOORS * floorSeconds,
    why: TWICE,
  };
}

function rolloutTarget({ ownSeconds, seconds }: RolloutRow): Target {
  return {
    promise: `rollout to two nodes: ${ROLLOUT_SECONDS} s beside Helm, the start of pods and the soak`,
    docker: undefined,
    measured: `${ownSeconds.toFixed(2)} s of ${seconds.toFixed(1)} s`,
    reached: ownSeconds <= ROLLOUT_SECONDS,
    why: ROLLOUT,
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
    why: 'No-op: most of it is the start of Node, a connection and a look at each node.',
  };
}
