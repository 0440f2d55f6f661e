import type { Contender } from './contenders.ts';
import { shippedIds, tagAgent } from './images.ts';
import { measure, type Counters } from './measure.ts';
import { emptyNodes, requireShipped } from './nodes.ts';
import {
  SCENARIOS,
  type Docker,
  type Key,
  type Link,
  type Row,
  type Sample,
  type Scenario,
  type Tool,
} from './row.ts';
import type { Selection } from './select.ts';
import { rowOf } from './statistics.ts';

/** What the rounds are run with. */
export interface Bench {
  readonly contenders: Readonly<Record<Tool, Contender>>;
  readonly counters: Counters;
  readonly docker: { readonly name: Docker; readonly env: NodeJS.ProcessEnv };
  /** Config digests of all images, of both versions. */
  readonly ids: readonly string[];
  readonly say: (line: string) => void;
}

type Measured = readonly [Key, Sample];

/**
 * Runs every tool on every link, round by round, so that what else the machine does meets all of
 * them alike.
 *
 * @returns medians, in the order of the selection
 */
export async function runRounds(
  bench: Bench,
  selection: Selection,
  rounds: number,
): Promise<readonly Row[]> {
  const measured: Measured[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const link of selection.links) {
      for (const tool of rotated(selection.tools, round)) {
        bench.say(`round ${round + 1} of ${rounds} · ${link} · ${tool}`);
        measured.push(...(await runSeries(bench, tool, link, selection.scenarios)));
      }
    }
  }
  return toRows(measured);
}

/** Nobody is always the first. */
function rotated<T>(all: readonly T[], by: number): readonly T[] {
  const at = by % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}

/** Cold first, because warm and no-op follow from it; it is not shaped when nobody wants to know. */
async function runSeries(
  bench: Bench,
  tool: Tool,
  link: Link,
  wanted: readonly Scenario[],
): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  await emptyNodes(bench.ids);
  await bench.contenders[tool].forget();
  for (const scenario of SCENARIOS) {
    const isWanted = wanted.includes(scenario);
    if (!isWanted && scenario !== 'cold') continue;
    await tagAgent(scenario === 'cold' ? 'v1' : 'v2', bench.docker.env);
    const sample = await runOnce(bench, tool, isWanted ? link : 'unshaped');
    if (!isWanted) continue;
    bench.say(`  ${scenario.padEnd(5)} ${sampleText(sample)}`);
    measured.push([{ scenario, tool, link, docker: bench.docker.name }, sample]);
  }
  return measured;
}

async function runOnce(bench: Bench, tool: Tool, link: Link): Promise<Sample> {
  const { counters, docker, contenders } = bench;
  const unshape = await counters.uplink.shape(link);
  try {
    const sample = await measure({ ...contenders[tool].command, docker: docker.env }, counters);
    await requireShipped(await shippedIds(docker.env));
    return sample;
  } finally {
    await unshape();
  }
}

function sampleText({ seconds, bytes, rssMB, cpuSeconds, dockerSave }: Sample): string {
  const saved = dockerSave ? ' · docker save' : '';
  return `${seconds.toFixed(2)} s · ${(bytes / 1e6).toFixed(1)} MB · ${rssMB.toFixed(0)} MB of memory · ${cpuSeconds.toFixed(1)} s of processor${saved}`;
}

function toRows(measured: readonly Measured[]): readonly Row[] {
  const groups = Map.groupBy(measured, ([key]) => JSON.stringify(key));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined
      ? []
      : [
          rowOf(
            first[0],
            group.map(([, sample]) => sample),
          ),
        ];
  });
}
