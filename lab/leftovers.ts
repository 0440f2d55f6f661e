import { readFileSync } from 'node:fs';
import { docker } from './docker.ts';
import { networksOfLab } from './nodes.ts';
import { containerOf, NODES, volumeOf } from './settings.ts';
import { sh, succeeds } from './shell.ts';

/** What a lab can leave behind on this machine, and how it is found. */

/** What a running container is known by to the kernel. */
export interface Traces {
  /** 64 hex characters, in the names of its cgroups. */
  readonly id: string;
  /** Its root file system and its network namespace, as far as the engine tells. */
  readonly mounts: readonly string[];
}

/** The traces of the nodes that there are: asked before they are removed. */
export async function tracesOfNodes(): Promise<readonly Traces[]> {
  const format =
    '--format={{.Id}} {{.NetworkSettings.SandboxKey}} {{with .GraphDriver.Data}}{{.MergedDir}}{{end}}';
  const found: Traces[] = [];
  for (const node of NODES) {
    const look = ['container', 'inspect', format, containerOf(node)];
    if (!(await succeeds('docker', look))) continue;
    const [id = '', ...paths] = (await docker(...look)).split(' ');
    found.push({ id, mounts: paths.flatMap(asMounted) });
  }
  return found;
}

/** /proc/mounts knows /var/run by its real name, /run. */
function asMounted(path: string): readonly string[] {
  return path.startsWith('/') ? [path.replace(/^\/var\/run\//, '/run/')] : [];
}

/** Everything that is left of the lab, one line each; empty when it is clean. */
export async function leftovers(traces: readonly Traces[]): Promise<readonly string[]> {
  return [
    ...(await left('container', NODES.map(containerOf))),
    ...(await left('volume', NODES.map(volumeOf))),
    ...(await networksOfLab()).map((name) => `network ${name}`),
    ...mountsOf(readFileSync('/proc/mounts', 'utf8'), traces).map((path) => `mount ${path}`),
    ...(await cgroupsOf(traces)).map((path) => `cgroup ${path}`),
  ];
}

async function left(
  kind: 'container' | 'volume',
  names: readonly string[],
): Promise<readonly string[]> {
  const found = await Promise.all(
    names.map(async (name) => succeeds('docker', [kind, 'inspect', name])),
  );
  return names.filter((_, index) => found[index]).map((name) => `${kind} ${name}`);
}

/** Mount points of `/proc/mounts` that belong to the containers. */
export function mountsOf(mounts: string, traces: readonly Traces[]): readonly string[] {
  const points = mounts.split('\n').map((line) => line.split(' ')[1] ?? '');
  return points.filter((point) =>
    traces.some(({ id, mounts: own }) => point.includes(id) || own.includes(point)),
  );
}

async function cgroupsOf(traces: readonly Traces[]): Promise<readonly string[]> {
  if (traces.length === 0) return [];
  const names = traces.flatMap(({ id }) => ['-o', '-name', `*${id}*`]).slice(1);
  // A cgroup that goes while find looks makes it fail, and is none that is left.
  const found = await sh('sh', [
    '-c',
    'find /sys/fs/cgroup -type d \\( "$@" \\) -prune 2> /dev/null; true',
    'find',
    ...names,
  ]);
  return found.split('\n').filter((line) => line !== '');
}
