import { join } from 'node:path';
import { ShipError } from '../../core/errors.ts';
import type { ShipImage } from '../../core/image.ts';
import { registerPush } from '../../image/needed.ts';
import { pruneStore, storeSize, type PrunedStore } from '../../image/prune.ts';
import { openStore, type BlobStore } from '../../image/store.ts';
import { touchImages, useStore } from '../../image/store-use.ts';
import { formatBytes } from '../../output/progress.ts';
import { cacheFolder } from '../../system/folders.ts';
import { selfDescription } from '../../system/self.ts';
import type { Context } from '../command.ts';
import { lockPath } from './lock-file.ts';

/** Where the blob store of this user lies. */
export function storeFolder(): string {
  return join(cacheFolder(), 'store');
}

/** The blob store of this user; nothing of it is pruned until it is disposed of. */
export async function openBlobStore({ signal }: Context): Promise<BlobStore & AsyncDisposable> {
  const store = await openStore(storeFolder());
  const use = await useStore(store, selfDescription(), signal);
  return { ...store, [Symbol.asyncDispose]: () => use[Symbol.asyncDispose]() };
}

/**
 * What a push does at its end: the store remembers what this project needs, and what was used
 * longest ago goes when there is too much. A failure is said and no more, for what was shipped is
 * proved.
 */
export async function tidyStore(
  context: Context,
  store: BlobStore,
  images: readonly ShipImage[],
): Promise<void> {
  const { config, flags, output } = context;
  if (flags.dryRun === true) return;
  try {
    await touchImages(store, images);
    await registerPush(store, { config: config.file, lock: lockPath(config) }, images);
    if ((await storeSize(store)) <= config.store.maxSize) return;
    output.note(prunedText(store, await pruneBlobs(context, store), config.store.maxSize));
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof ShipError)) throw error;
    output.note(`blob store not tidied: ${error.message}`);
  }
}

/**
 * Prunes the store to the limit of the config.
 *
 * @throws ShipError `locked` when another process uses it
 */
async function pruneBlobs({ config, signal }: Context, store: BlobStore): Promise<PrunedStore> {
  return pruneStore(store, { maxSize: config.store.maxSize, self: selfDescription(), signal });
}

function prunedText({ folder }: BlobStore, pruned: PrunedStore, maxSize: number): string {
  const { freed, size } = pruned;
  const over = size > maxSize ? ', all of it needed by projects' : '';
  return `blob store ${folder}: removed ${formatBytes(freed)}, ${formatBytes(size)} left${over}`;
}
