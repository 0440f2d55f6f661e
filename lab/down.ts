import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Listr } from 'listr2';
import { leftovers, tracesOfNodes, type Traces } from './leftovers.ts';
import { removeNetworks, removeNode } from './nodes.ts';
import { NODES, STATE } from './settings.ts';
import { TREE } from './files.ts';
import { isChanged } from './tree-source.ts';

interface Before {
  traces: readonly Traces[];
}

/** Generated at every `up`. The ssh keys stay: a lab that comes up again has its host keys. */
const GENERATED = [
  'kubeconfig',
  'ssh_config',
  'known_hosts',
  'env',
  'ciliumship.yaml',
  'cilium-values.yaml',
  'bin',
];

/** Written before the nodes go, so that a later `down` still knows what to look for. */
const TRACES = join(STATE, 'traces.json');

/** The kernel removes cgroups and mounts a moment after their container. */
const PATIENCE_SECONDS = 15;

/** Takes the lab down and proves that nothing of it is left. What was built stays in the cache. */
export function downTasks(): Listr<Before> {
  return new Listr<Before>(
    [
      {
        title: 'Remove nodes',
        task: async (before) => {
          before.traces = await remembered();
          await Promise.all(NODES.map(removeNode));
        },
      },
      { title: 'Remove networks', task: removeNetworks },
      {
        title: 'Remove kubeconfig, ssh config and sample tree',
        task: async (_, task) => {
          const kept = await removeState();
          if (kept !== undefined) task.title = `${task.title}: ${kept}`;
        },
      },
      { title: 'Look for what is left', task: async ({ traces }) => provedClean(traces) },
    ],
    { ctx: { traces: [] } },
  );
}

/** Also of nodes that an earlier `down` removed and that left something. */
async function remembered(): Promise<readonly Traces[]> {
  const earlier: readonly Traces[] = existsSync(TRACES)
    ? (JSON.parse(readFileSync(TRACES, 'utf8')) as Traces[])
    : [];
  const traces = [...earlier, ...(await tracesOfNodes())];
  mkdirSync(STATE, { recursive: true });
  writeFileSync(TRACES, JSON.stringify(traces));
  return traces;
}

async function removeState(): Promise<string | undefined> {
  for (const name of GENERATED) rmSync(join(STATE, name), { recursive: true, force: true });
  if (!existsSync(TREE)) return undefined;
  if (await isChanged(TREE)) return `the sample tree is kept, since it was changed: ${TREE}`;
  rmSync(TREE, { recursive: true });
  return undefined;
}

async function provedClean(traces: readonly Traces[]): Promise<void> {
  const end = Date.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const left = await leftovers(traces);
    if (left.length === 0) return rmSync(TRACES, { force: true });
    if (Date.now() > end) throw new Error(leftText(left));
    await sleep(500);
  }
}

/** The message that names what is left, and what to do about it. */
export function leftText(left: readonly string[]): string {
  return [
    'the lab is down, but this is left of it:',
    ...left.map((line) => `  ${line}`),
    '  next: run down again; what stays then, remove with docker rm, umount or rmdir',
  ].join('\n');
}
