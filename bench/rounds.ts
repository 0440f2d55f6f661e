import { cpus } from 'node:os';
import type { Contender } from './contenders.ts';
import type { BenchDocker } from './docker.ts';
import { tagAgent, type Images, type Version } from './images.ts';
import { wireSeconds } from './link.ts';
import { measure, type Counters } from './measure.ts';
import { emptyNodes, requireShipped } from './nodes.ts';
import {
  SCENARIOS,
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
  readonly docker: BenchDocker;
  readonly images: Images;
  /** Of `docker save` alone. */
  readonly saveSeconds: number;
  readonly say: (line: string) => void;
}

type Measured = readonly [Key, Sample];

const CORES = cpus().length;

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
  const tools = selection.tools.filter((tool) => !bench.docker.without.includes(tool));
  for (let round = 0; round < rounds; round += 1) {
    for (const link of selection.links) {
      for (const tool of rotated(tools, round)) {
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
  await emptyNodes(configsOf(bench.images));
  await bench.contenders[tool].forget();
  await bench.contenders[tool].forgetLink();
  for (const scenario of SCENARIOS) {
    const isWanted = wanted.includes(scenario);
    if (!isWanted && scenario !== 'cold') continue;
    const version = scenario === 'cold' ? 'v1' : 'v2';
    await tagAgent(version, bench.docker);
    const sample = await runOnce(bench, tool, version, isWanted ? link : 'unshaped');
    if (!isWanted) {
      await bench.contenders[tool].forgetLink();
      continue;
    }
    bench.say(`  ${scenario.padEnd(5)} ${sampleText(sample)}`);
    measured.push([{ scenario, tool, link, docker: bench.docker.name }, sample]);
  }
  return measured;
}

async function runOnce(bench: Bench, tool: Tool, version: Version, link: Link): Promise<Sample> {
  const { counters, docker, contenders, images } = bench;
  const unshape = await counters.uplink.shape(link);
  try {
    const measured = await measure({ ...contenders[tool].command, docker: docker.env }, counters);
    await requireShipped([images[version].config, images.operator.config]);
    return { ...measured, floorSeconds: floorOf(measured, link, bench.saveSeconds) };
  } finally {
    await unshape();
  }
}

function floorOf(
  { allCpuSeconds, bytes, dockerSave }: Omit<Sample, 'floorSeconds'>,
  link: Link,
  saveSeconds: number,
): number {
  return Math.max(allCpuSeconds / CORES, wireSeconds(bytes, link), dockerSave ? saveSeconds : 0);
}

/** Config digests of all images. */
export function configsOf(images: Images): readonly string[] {
  return Object.values(images).map(({ config }) => config);
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
