import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ShipError } from '../../core/errors.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Argv } from '../../core/remote.ts';
import type { Step } from '../../core/step.ts';
import { lastLines } from '../../core/text.ts';
import type { Cluster, Pod } from '../../deploy/cluster.ts';
import { errorText } from '../../output/error.ts';
import { settleStage } from '../../output/stage.ts';
import { makeOwnFolder } from '../../system/own-files.ts';
import { ignoreInGit } from '../../system/replace-file.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { looking } from './stages.ts';

/** File → the command of a node that prints it. */
const FACTS: Readonly<Record<string, Argv>> = {
  'links.json': ['ip', '-j', '-d', '-s', 'link'],
  'addresses.json': ['ip', '-j', 'address'],
  'routes.json': ['ip', '-j', 'route', 'show', 'table', 'all'],
  'bpf-net.json': ['bpftool', '-j', 'net'],
  'bpf-links.json': ['bpftool', '-j', 'link'],
  'kernel.log': ['dmesg'],
  'k3s.log': [
    'journalctl',
    ...['-u', 'k3s', '-u', 'k3s-agent', '-n', '300', '--no-pager', '-o', 'short-iso'],
  ],
  // Where the API server does not get at them: the node is cut off then.
  'agents.log': [
    'find',
    '/var/log/pods',
    ...['-path', '*_cilium-*.log', '-type', 'f'],
    ...['-exec', 'tail', '-n', '100', '{}', '+'],
  ],
};
const KERNEL_LINES = 300;
const TIMEOUT = 10_000;

/** Where a rollout failed. */
export interface Scene {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** Kubernetes name of each node to look at → the pods of ours there. */
  readonly nodes: ReadonlyMap<string, readonly Pod[]>;
}

/**
 * Saves what a failed rollout leaves behind, before anything of it is undone: what the agents wrote
 * and what their nodes look like, without secrets. What cannot be read says why in its file.
 *
 * @returns the folder
 */
export async function saveEvidence(
  context: Context,
  fleet: Fleet,
  scene: Scene,
  failure: ShipError,
): Promise<string> {
  const parts = ['.ciliumship', 'evidence', new Date().toISOString().replaceAll(':', '-')];
  const folder = await makeOwnFolder(context.config.folder, parts, 0o700);
  const write = writerInto(folder, (text) => context.output.clean(text));
  await ignoreInGit(join(folder, '..', '..'));
  await write('error.txt', errorText(failure, undefined));
  const steps = [...scene.nodes].map(([node, pods]): Step<number> => ({
    id: node,
    title: `save what ${node} shows`,
    run: async ({ signal }) => {
      const session = sessionOf(context, fleet, node);
      const facts = session === undefined ? [] : await factsOf(session, signal);
      const files = [...facts, ...(await podFiles(scene, pods))];
      await Promise.all(files.map(([name, text]) => write(join(node, name), text)));
      return files.length;
    },
    describe: (count) => `${node} ${count} files`,
  }));
  await settleStage('Evidence', steps, looking(context));
  return folder;
}

/** The files of each pod, in a folder of its name. */
async function podFiles({ cluster, namespace }: Scene, pods: readonly Pod[]) {
  const all = pods.map(async (pod) => {
    const files = await cluster.evidence(namespace, pod);
    return [...files].map(([name, text]) => [join(pod.name, name), text] as const);
  });
  return (await Promise.all(all)).flat();
}

function writerInto(folder: string, clean: (text: string) => string) {
  return async (name: string, text: string): Promise<void> => {
    const file = join(folder, name);
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
    await writeFile(file, clean(text), { mode: 0o600 });
  };
}

function sessionOf({ config }: Context, fleet: Fleet, name: string): Session | undefined {
  const node = config.nodes.find((known) => kubernetesName(known) === name);
  return fleet.sessions.get(node?.name ?? '');
}

/** What the tools of a node print: file → text. A tool that fails says why in its file. */
export function factsOf(session: Session, signal: AbortSignal) {
  const files = Object.entries(FACTS).map(async ([name, argv]) => {
    const asked = session.run(argv, { sudo: true, timeout: TIMEOUT, signal });
    const text = await asked.then(({ stdout }) => stdout, String);
    const lines = name === 'kernel.log' ? lastLines(text, KERNEL_LINES).join('\n') : text;
    return [name, lines] as const;
  });
  return Promise.all(files);
}
