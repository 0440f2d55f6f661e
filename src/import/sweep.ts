import type { Digest } from '../core/digest.ts';
import type { Remote } from '../core/remote.ts';
import { parseLeases, type StoredName } from '../facts/containerd.ts';
import { IMPORTING } from '../facts/node-paths.ts';
import type { NodeImages } from '../facts/node-store.ts';
import { ctr, rooted } from './decode.ts';
import { endLeft } from './end.ts';
import { STAGING, type Staged } from './names.ts';

/** `ctr` takes its lease as it starts; on a busy node that takes a moment. Seconds. */
const START = 10;

/**
 * Removes what an import of ours that was killed left in containerd: its staging names, and the
 * lease that would keep its half written blobs for a day. We hold the lock of the node: an import
 * that is under way is of a run that was killed itself, or cut off, and ends first.
 *
 * What only the staging names held goes with them at once: when the power went, containerd knows a
 * layer as unpacked whose files never reached the disk, and would not look again (D18).
 *
 * @param seen what the node had a moment ago
 * @param probe looks again
 * @throws ShipError `storage` when an import does not end, `network`
 */
export async function sweepNode(
  remote: Remote,
  seen: NodeImages,
  probe: (signal: AbortSignal) => Promise<NodeImages>,
  signal: AbortSignal,
): Promise<void> {
  const begun = await importBegun(remote, signal);
  const ended = begun !== undefined && (await endLeft(remote, signal));
  const store = ended ? await probe(signal) : seen;
  for (const { ref, digest } of leftNames(store)) {
    const ids = hasName(store, digest) ? [] : namesOf(store, digest);
    await removeNames(remote, ['--sync', ...ids, ref], signal);
  }
  await dropLeases(remote, begun, signal);
}

/** Whether an import of ours was killed after it gave a staging name. */
export function hasLeft(store: NodeImages): boolean {
  return leftNames(store).length > 0;
}

function leftNames({ images }: NodeImages): readonly StoredName[] {
  return [...images.values()].filter(({ ref }) => ref.startsWith(STAGING));
}

/** Drops the leases of an import that did not end, and the half written blobs that they keep. */
export async function dropKilled(remote: Remote): Promise<void> {
  await dropLeases(remote, await importBegun(remote));
}

async function dropLeases(
  remote: Remote,
  begun: number | undefined,
  signal?: AbortSignal,
): Promise<void> {
  for (const lease of await killedLeases(remote, begun, signal)) {
    await remote.run(ctr('leases', 'rm', '--sync', lease), rooted(signal));
  }
}

/**
 * Removes the staging names. When the images got no other name, containerd would keep them under
 * the id that the CRI gave them. On a node that was lost to another run only the staging names go,
 * which are nobody else's.
 *
 * @param unheld reaches the node also then
 * @param before what the node had, when the final names did not move
 */
export async function unstage(
  { remote, unheld }: { readonly remote: Remote; readonly unheld: Remote },
  staged: readonly Staged[],
  before: NodeImages | undefined,
): Promise<void> {
  for (const { image, staging } of staged) {
    const isNew = before !== undefined && !hasName(before, image.manifest.digest);
    const names = isNew ? [image.config.digest, staging] : [staging];
    await removeNames(remote, names)
      .catch(() => removeNames(unheld, [staging]))
      .catch(() => undefined);
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

/** When the import began that did not end, in seconds of the node's clock. */
async function importBegun(remote: Remote, signal?: AbortSignal): Promise<number | undefined> {
  const options = { ...rooted(signal), accept: [1] };
  const begun = Number((await remote.run(['cat', IMPORTING], options)).stdout);
  return begun > 0 ? begun : undefined;
}

/**
 * Leases that are as old as an import that did not end. Nothing else tells whose they are; both
 * times are of the node's own clock.
 */
async function killedLeases(
  remote: Remote,
  begun: number | undefined,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  if (begun === undefined) return [];
  const { stdout } = await remote.run(ctr('leases', 'ls'), rooted(signal));
  return parseLeases(stdout)
    .filter(({ created }) => created >= begun && created <= begun + START)
    .map(({ id }) => id);
}
