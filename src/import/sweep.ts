import type { Digest } from '../core/digest.ts';
import type { Remote } from '../core/remote.ts';
import { parseLeases, type StoredName } from '../facts/containerd.ts';
import { IMPORTING } from '../facts/node-paths.ts';
import type { NodeImages } from '../facts/node-store.ts';
import { ctr, rooted } from './decode.ts';
import { STAGING, type Staged } from './names.ts';

/** `ctr` takes its lease as it starts; on a busy node that takes a moment. Seconds. */
const START = 10;

/**
 * Removes what an import of ours that was killed left in containerd: its staging names, and the
 * lease that would keep its half written blobs for a day. We hold the lock of the node, so no
 * import of ours is under way.
 *
 * What only the staging names held goes with them at once: when the power went, containerd knows a
 * layer as unpacked whose files never reached the disk, and would not look again (D18).
 */
export async function sweepNode(
  remote: Remote,
  store: NodeImages,
  signal: AbortSignal,
): Promise<void> {
  for (const { ref, digest } of leftNames(store)) {
    const ids = hasName(store, digest) ? [] : namesOf(store, digest);
    await removeNames(remote, ['--sync', ...ids, ref], signal);
  }
  await dropKilled(remote, signal);
}

/** Whether an import of ours was killed after it gave a staging name. */
export function hasLeft(store: NodeImages): boolean {
  return leftNames(store).length > 0;
}

function leftNames({ images }: NodeImages): readonly StoredName[] {
  return [...images.values()].filter(({ ref }) => ref.startsWith(STAGING));
}

/** Drops the leases of an import that did not end, and the half written blobs that they keep. */
export async function dropKilled(remote: Remote, signal?: AbortSignal): Promise<void> {
  for (const lease of await killedLeases(remote, signal)) {
    await remote.run(ctr('leases', 'rm', '--sync', lease), rooted(signal));
  }
}

/**
 * Removes the staging names. When the images got no other name, containerd would keep them under
 * the id that the CRI gave them.
 *
 * @param before what the node had, when the final names did not move
 */
export async function unstage(
  remote: Remote,
  staged: readonly Staged[],
  before: NodeImages | undefined,
): Promise<void> {
  for (const { image, staging } of staged) {
    const isNew = before !== undefined && !hasName(before, image.manifest.digest);
    const names = isNew ? [image.config.digest, staging] : [staging];
    await removeNames(remote, names).catch(() => undefined);
  }
}

async function removeNames(
  remote: Remote,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  await remote.run(ctr('images', 'rm', ...names), { ...rooted(signal), accept: [1] });
}

/** Whether an image has any name but staging ones and those that the CRI made of its id. */
function hasName(store: NodeImages, digest: Digest): boolean {
  return namesOf(store, digest).some((name) => !name.startsWith('sha256:'));
}

function namesOf(store: NodeImages, digest: Digest): readonly string[] {
  return [...store.images.values()]
    .filter((name) => name.digest === digest && !name.ref.startsWith(STAGING))
    .map(({ ref }) => ref);
}

/**
 * Leases that are as old as an import that did not end. Nothing else tells whose they are; both
 * times are of the node's own clock.
 */
async function killedLeases(remote: Remote, signal?: AbortSignal): Promise<readonly string[]> {
  const options = { ...rooted(signal), accept: [1] };
  const begun = Number((await remote.run(['cat', IMPORTING], options)).stdout);
  if (!(begun > 0)) return [];
  const { stdout } = await remote.run(ctr('leases', 'ls'), rooted(signal));
  return parseLeases(stdout)
    .filter(({ created }) => created >= begun && created <= begun + START)
    .map(({ id }) => id);
}
