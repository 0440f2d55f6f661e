import { globSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { docker } from '../lab/docker.ts';
import { onNode } from '../lab/nodes.ts';
import { containerOf, NODES, type LabNode } from '../lab/settings.ts';
import { processorSeconds } from './processes.ts';

/** What works for a tool without being its child: Docker, the registry, and the nodes. */
export interface Helpers {
  /** Processor seconds of all of them so far, without what they use when nobody asks anything. */
  seconds(): Promise<number>;
}

const ENGINES = new Set(['dockerd', 'containerd', 'docker-registry']);
const LOOKS = 5;

/** Looks for some seconds at what the helpers use when nothing is asked of them. */
export async function openHelpers(): Promise<Helpers> {
  const started = performance.now();
  const rates: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) rates.push(await rateOfASecond());
  // Others may use them just now; the quietest second is nearest to nobody.
  const idle = Math.min(...rates);
  return {
    seconds: async () => (await allSeconds()) - (idle * (performance.now() - started)) / 1000,
  };
}

async function rateOfASecond(): Promise<number> {
  const [started, before] = [performance.now(), await allSeconds()];
  await sleep(1000);
  return ((await allSeconds()) - before) / ((performance.now() - started) / 1000);
}

async function allSeconds(): Promise<number> {
  const [nodes, engines] = await Promise.all([
    Promise.all(NODES.map(nodeSeconds)),
    enginePids().then((pids) => pids.map(processorSeconds)),
  ]);
  return [...nodes, ...engines].reduce((sum, seconds) => sum + seconds, 0);
}

/** What the kernel counts for everything in the container of a node. */
async function nodeSeconds(node: LabNode): Promise<number> {
  const script =
    'cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || cat /sys/fs/cgroup/cpu.stat';
  const text = await onNode(node, 'sh', '-c', script);
  const modern = /^usage_usec (\d+)$/m.exec(text)?.[1];
  return modern === undefined ? Number(text) / 1e9 : Number(modern) / 1e6;
}

/** Docker and the registry wherever they run, but not the containerd of a node. */
async function enginePids(): Promise<readonly number[]> {
  const inits = await docker('inspect', '--format={{.State.Pid}}', ...NODES.map(containerOf));
  const ofNodes = new Set(inits.split('\n').map((pid) => namespaceOf(Number(pid))));
  return globSync('/proc/[0-9]*/comm')
    .filter((file) => ENGINES.has(nameIn(file)))
    .map((file) => Number(file.split('/')[2]))
    .filter((pid) => !ofNodes.has(namespaceOf(pid)));
}

function nameIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}
