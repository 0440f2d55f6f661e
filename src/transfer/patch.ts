import type { Blob } from '../core/image.ts';
import type { Patch } from '../core/wire.ts';
import type { NodeStore } from '../facts/node-store.ts';

/** zstd keeps base and result in memory, and takes neither beyond 2 GiB. */
const LARGEST = 1 << 30;

/** Left to everything else on the node while a patch is applied there. */
const MEMORY_RESERVE = 128 * 1024 * 1024;

/**
 * The patch that would make a layer on a node: of the newest of its earlier versions that lie there.
 *
 * @param earlier newest first
 */
export function patchFor(earlier: readonly Blob[], store: NodeStore): Patch | undefined {
  const base = earlier.find(({ digest }) => store.content.has(digest));
  return base === undefined ? undefined : { base };
}

/**
 * What keeps a node from applying a patch, in words; undefined when nothing does.
 *
 * @param here whether this machine can make patches
 */
export function obstacleTo(
  { base }: Patch,
  layer: Blob,
  store: NodeStore,
  here: boolean,
): string | undefined {
  if (!here) return 'no zstd 1.4.5 or newer on this machine';
  if (!store.patches) return 'no zstd 1.4.5 or newer on the node';
  if (Math.max(base.size, layer.size) > LARGEST) return 'the layer is larger than 1 GiB';
  const needed = base.size + layer.size + MEMORY_RESERVE;
  if (needed <= store.memory) return undefined;
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  return `${megabytes(store.memory)} of memory free on the node, ${megabytes(needed)} needed`;
}
