import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest, type Digest } from '../core/digest.ts';
import type { Self } from '../core/lock.ts';
import { neededBlobs } from './needed.ts';
import { lockStore } from './store-use.ts';
import type { Watching } from './mark.ts';
import type { BlobStore } from './store.ts';

export interface PruneOptions {
  /** Bytes that the store may hold. */
  readonly maxSize: number;
  readonly self: Self;
  readonly signal: AbortSignal;
  readonly watching?: Watching;
}

/** What pruning came to. Sizes in bytes. */
export interface PrunedStore {
  readonly removed: number;
  readonly freed: number;
  /** What is left; more than the limit only when a project needs it. */
  readonly size: number;
}

interface StoredFile {
  readonly path: string;
  readonly needed: boolean;
  readonly size: number;
  readonly usedAt: number;
}

/** Bytes that the blobs of a store and their wire forms take. */
export async function storeSize(store: BlobStore): Promise<number> {
  return sizeOf(await listFiles(store, new Set()));
}

/**
 * Removes what was used longest ago until the store is within its limit, but nothing that a
 * registered project needs. Wire forms can be made again, so no project needs them.
 *
 * @throws ShipError `locked` when another process uses or prunes the store
 */
export async function pruneStore(store: BlobStore, options: PruneOptions): Promise<PrunedStore> {
  const { maxSize, self, signal, watching } = options;
  await using lock = await lockStore(store, self, signal, watching);
  const files = await listFiles(store, await neededBlobs(store));
  const all = sizeOf(files);
  let size = all;
  let removed = 0;
  for (const file of files.toSorted((one, other) => one.usedAt - other.usedAt)) {
    if (size <= maxSize) break;
    if (file.needed) continue;
    signal.throwIfAborted();
    await lock.requireHeld();
    await rm(file.path, { force: true });
    size -= file.size;
    removed += 1;
  }
  if (removed > 0) await store.forgetLost();
  return { removed, freed: all - size, size };
}

/**
 * Removes blobs that came into the store just now. They stay when anyone else uses the store, or a
 * project needs them by now.
 */
export async function dropBlobs(
  store: BlobStore,
  digests: readonly Digest[],
  { self, signal, watching }: Omit<PruneOptions, 'maxSize'>,
): Promise<void> {
  try {
    await using lock = await lockStore(store, self, signal, watching);
    const needed = await neededBlobs(store);
    await lock.requireHeld();
    const dropped = digests.filter((digest) => !needed.has(digest));
    await Promise.all(dropped.map((digest) => rm(store.path(digest), { force: true })));
  } catch {
    // Somebody may count on them: the next pruning takes what is not needed.
  }
}

function sizeOf(files: readonly StoredFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

async function listFiles(
  store: BlobStore,
  needed: ReadonlySet<Digest>,
): Promise<readonly StoredFile[]> {
  const blobs = await listFolder(join(store.folder, 'blobs', 'sha256'), needed);
  return [...blobs, ...(await listFolder(join(store.folder, 'wire'), new Set()))];
}

async function listFolder(
  folder: string,
  needed: ReadonlySet<Digest>,
): Promise<readonly StoredFile[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.map(async (name): Promise<readonly StoredFile[]> => {
    const digest = `sha256:${name.slice(0, 64)}`;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (!isDigest(digest) || found?.isFile() !== true) return [];
    return [{ path, needed: needed.has(digest), size: found.size, usedAt: found.mtimeMs }];
  });
  return (await Promise.all(files)).flat();
}
