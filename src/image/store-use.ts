import { randomBytes } from 'node:crypto';
import { mkdir, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describeHolder, type Self } from '../core/lock.ts';
import { ShipError } from '../core/errors.ts';
import { blobsOf, type ShipImage } from '../core/image.ts';
import { diskError } from '../core/disk.ts';
import { holderOf, setMark, WATCHING, type Mark, type Watching } from './mark.ts';
import type { BlobStore } from './store.ts';

/** Pruning takes a second, so look often; but never wait for ever for a pruner that stopped. */
const WAITING: Watching = { ...WATCHING, pause: 100, prompt: false };

/**
 * Says that this process uses the store until the result is disposed of: nothing is pruned
 * meanwhile. Waits while another process prunes. Any number of processes may use it at once.
 */
export async function useStore(
  store: Pick<BlobStore, 'folder'>,
  self: Self,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const users = usersFolder(store);
  await mkdir(users, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw diskError(users, error);
  });
  const mark = await setMark(join(users, randomBytes(8).toString('hex')), self);
  if (mark === undefined) throw new Error('a random name was taken');
  try {
    // In this order: a pruner locks first and looks for users then, so one of us sees the other.
    while ((await holderOf(lockFile(store), self, signal, WAITING)) !== undefined);
    return mark;
  } catch (error) {
    await mark[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Locks the store for pruning. Our own uses of it do not count.
 *
 * @throws ShipError `locked` naming who prunes or uses it
 */
export async function lockStore(
  store: Pick<BlobStore, 'folder'>,
  self: Self,
  signal: AbortSignal,
  watching?: Watching,
): Promise<Mark> {
  const other = await holderOf(lockFile(store), self, signal, watching);
  const lock = other === undefined ? await setMark(lockFile(store), self) : undefined;
  if (lock === undefined) throw inUse(store, `${describeHolder(other)} prunes it`);
  try {
    await refuseUsers(store, self, signal, watching);
    return lock;
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

async function refuseUsers(
  store: Pick<BlobStore, 'folder'>,
  self: Self,
  signal: AbortSignal,
  watching: Watching | undefined,
): Promise<void> {
  const users = usersFolder(store);
  for (const name of await readdir(users).catch(() => [])) {
    const user = await holderOf(join(users, name), self, signal, watching);
    const { machine, pid } = self.holder;
    if (user === undefined || (user.machine === machine && user.pid === pid)) continue;
    throw inUse(store, `${describeHolder(user)} uses it`);
  }
}

/** Marks the blobs of images as used now: what was used last is pruned last. */
export async function touchImages(store: BlobStore, images: readonly ShipImage[]): Promise<void> {
  const now = new Date();
  const paths = images.flatMap(blobsOf).map(({ digest }) => store.path(digest));
  await Promise.all(paths.map((path) => utimes(path, now, now).catch(() => undefined)));
}

function usersFolder({ folder }: Pick<BlobStore, 'folder'>): string {
  return join(folder, 'users');
}

function lockFile({ folder }: Pick<BlobStore, 'folder'>): string {
  return join(folder, 'lock');
}

function inUse({ folder }: Pick<BlobStore, 'folder'>, why: string): ShipError {
  return new ShipError('locked', `cannot prune the blob store ${folder}: ${why}`, {
    hint: 'wait for it, then run the same command again',
    retryable: true,
  });
}
