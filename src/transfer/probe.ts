import type { Argv, Remote } from '../core/remote.ts';
import { parseCheck, parseContent, parseImages, parseServerVersion } from '../facts/containerd.ts';
import { parseCriImages } from '../facts/cri.ts';
import { parseFree } from '../facts/disk.ts';
import { parseMachine, parseMemory, parsePlatform } from '../facts/machine.ts';
import type { Machine, NodeImages, NodeStore } from '../facts/node-store.ts';
import { canPatch } from '../facts/zstd.ts';
import { ANY, onceStarted, silent } from './restart.ts';

/** The commands that look at a node, as bare arguments so that sudo can allow exactly these. */
export const PROBES = {
  version: ['k3s', 'ctr', 'version'],
  content: ['k3s', 'ctr', '-n', 'k8s.io', 'content', 'ls', '-q'],
  images: ['k3s', 'ctr', '-n', 'k8s.io', 'images', 'ls'],
  check: ['k3s', 'ctr', '-n', 'k8s.io', 'images', 'check'],
  cri: ['k3s', 'crictl', 'images', '-o', 'json'],
  free: ['df', '-P', '-B1', '/var/lib/rancher/k3s'],
  zstd: ['zstd', '--version'],
  memory: ['cat', '/proc/meminfo'],
  architecture: ['uname', '-m'],
  machine: ['cat', '/proc/sys/kernel/random/boot_id', '/etc/machine-id'],
} as const satisfies Record<string, Argv>;

/** Those of them that look at images only: all that drift runs on a node. */
export const IMAGE_PROBES: readonly Argv[] = [
  PROBES.version,
  PROBES.images,
  PROBES.check,
  PROBES.cri,
];

/** Containers of every state: what they were made from may not be removed. */
export const CONTAINERS: Argv = ['k3s', 'crictl', 'ps', '-a', '-o', 'json'];

/**
 * Asks a node what it has. Changes nothing, and waits for a containerd that is being started.
 *
 * @throws ShipError `storage` when containerd does not answer; `identity`, `network`
 */
export function probeNode(remote: Remote, signal: AbortSignal): Promise<NodeStore> {
  const ask = asker(remote, signal);
  return onceStarted(remote, signal, async () => {
    const rest = Promise.all([
      ask(PROBES.content).then(parseContent),
      ask(PROBES.free).then(parseFree),
      readZstd(remote, signal),
      ask(PROBES.memory).then(parseMemory),
      ask(PROBES.architecture).then(parsePlatform),
      readMachine(remote, signal),
    ]);
    const images = await askImages(remote, signal, rest);
    const [content, free, zstd, memory, platform, machine] = await rest;
    return { ...images, content, free, ...zstd, memory, platform, machine };
  });
}

/** Asks a node for its images only. Throws as `probeNode`. */
export function probeImages(remote: Remote, signal: AbortSignal): Promise<NodeImages> {
  return onceStarted(remote, signal, () => askImages(remote, signal));
}

/**
 * All questions are on their way at once. When any has no answer, the first one tells why.
 *
 * @param beside what else the node is asked
 */
async function askImages(
  remote: Remote,
  signal: AbortSignal,
  beside?: Promise<unknown>,
): Promise<NodeImages> {
  const ask = asker(remote, signal);
  const version = containerdVersion(remote, signal);
  const answers = Promise.all([
    ask(PROBES.images).then(parseImages),
    checkImages(remote, signal),
    askCri(remote, signal),
  ]);
  await Promise.allSettled([version, answers, beside]);
  const containerd = await version;
  const [images, checked, cri] = await answers;
  return { containerd, images, checked, cri };
}

function asker(remote: Remote, signal: AbortSignal): (argv: Argv) => Promise<string> {
  return async (argv) => (await remote.run(argv, { sudo: true, signal })).stdout;
}

/** With one image that it cannot look into, ctr prints the whole table and then exits with 1. */
async function checkImages(remote: Remote, signal: AbortSignal): Promise<NodeStore['checked']> {
  const asked = await remote.run(PROBES.check, { sudo: true, signal, accept: [1] });
  if (asked.code === 0 || asked.stdout.startsWith('REF')) return parseCheck(asked.stdout);
  throw silent(remote.node, asked);
}

/** The CRI answers a moment later than the rest of a containerd that was started. */
async function askCri(remote: Remote, signal: AbortSignal): Promise<NodeStore['cri']> {
  const asked = await remote.run(PROBES.cri, { sudo: true, signal, accept: [1] });
  if (asked.code === 0) return parseCriImages(asked.stdout);
  throw silent(remote.node, asked);
}

/** The version of K3s's own containerd; a system containerd beside it has another socket (K2). */
async function containerdVersion(remote: Remote, signal: AbortSignal): Promise<string> {
  const asked = await remote.run(PROBES.version, { sudo: true, signal, accept: ANY });
  const version = parseServerVersion(asked.stdout);
  if (asked.code === 0 && version !== undefined) return version;
  throw silent(remote.node, asked);
}

async function readZstd(
  remote: Remote,
  signal: AbortSignal,
): Promise<Pick<NodeStore, 'zstd' | 'patches'>> {
  const asked = await remote.run(PROBES.zstd, { sudo: true, signal, accept: [1, 126, 127] });
  return { zstd: asked.code === 0, patches: asked.code === 0 && canPatch(asked.stdout) };
}

/** Some systems have no machine id; the boot id alone is enough. */
async function readMachine(remote: Remote, signal: AbortSignal): Promise<Machine> {
  const asked = await remote.run(PROBES.machine, { sudo: true, signal, accept: [1] });
  return parseMachine(asked.stdout);
}
