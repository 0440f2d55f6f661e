import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { shortDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import { isPatch, type WireForm } from '../core/wire.ts';
import { wireName } from '../facts/node-paths.ts';
import { diskError } from '../core/disk.ts';
import { hashFile } from './hash.ts';
import type { BlobStore } from './store.ts';

/** Makes wire forms: reads a file, writes a new one. */
export interface Compressor {
  compress(from: string, to: string, form: 'zstd' | 'gzip', signal: AbortSignal): Promise<void>;
  /** Writes what makes `from` of `base`. */
  patch(base: string, from: string, to: string, signal: AbortSignal): Promise<void>;
}

/** A file to send, whole and on this machine. */
export interface WireFile {
  readonly digest: Digest;
  readonly form: WireForm;
  /** Bytes that travel. */
  readonly size: number;
  open(start?: number): AsyncIterable<Uint8Array>;
}

/** Bytes of every wire form that was made before, by its name. */
export async function madeWires(store: BlobStore): Promise<ReadonlyMap<string, number>> {
  const folder = join(store.folder, 'wire');
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map(async (name) => {
    const found = await stat(join(folder, name)).catch(() => undefined);
    return found === undefined ? [] : [[name, found.size] as const];
  });
  return new Map((await Promise.all(sizes)).flat());
}

/** The wire form of a blob when it was made before; of a small blob it is the blob itself. */
export async function recallWire(
  store: BlobStore,
  digest: Digest,
  form: WireForm,
): Promise<WireFile | undefined> {
  const path = form === 'plain' ? store.path(digest) : wirePath(store, digest, form);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const { size } = found;
  return { digest, form, size, open: (start = 0) => readTo(size, digest, { path, start }) };
}

/** A file that shrinks or grows while it is sent is noticed here, other bytes by the node (F11). */
async function* readTo(
  size: number,
  digest: Digest,
  { path, start }: { readonly path: string; readonly start: number },
): AsyncGenerator<Uint8Array> {
  let at = start;
  for await (const chunk of createReadStream(path, { start, highWaterMark: 1024 * 1024 })) {
    at += (chunk as Buffer).length;
    yield chunk as Buffer;
  }
  if (at !== size) throw lost(digest, 'changed while it was sent');
}

/** A wire form that is wanted, and what makes it where it does not lie ready. */
export interface Wanted {
  readonly store: BlobStore;
  readonly digest: Digest;
  readonly form: WireForm;
  readonly compressor: Compressor;
  readonly signal: AbortSignal;
}

/**
 * The wire form of a blob: made once, kept beside the store.
 *
 * @throws ShipError `integrity` when the store lost the blob or holds other bytes
 */
export async function wireForm(wanted: Wanted): Promise<WireFile> {
  const { store, digest, form } = wanted;
  const known = form === 'plain' ? undefined : await recallWire(store, digest, form);
  if (known !== undefined) return known;
  await requireWhole(store, digest);
  return wireFormOfHashed(wanted);
}

/** As `wireForm`, of a blob that was hashed a moment ago, when it came into the store. */
export async function wireFormOfHashed(wanted: Wanted): Promise<WireFile> {
  const { store, digest, form } = wanted;
  if (form !== 'plain') await make(wanted, form);
  const made = await recallWire(store, digest, form);
  if (made !== undefined) return made;
  throw lost(digest, 'left the store meanwhile');
}

/** Hashes a blob before it leaves: what the disk damaged is removed, and exported once more. */
export async function requireWhole(store: BlobStore, digest: Digest): Promise<void> {
  if ((await store.size(digest)) === undefined) throw lost(digest, 'left the store meanwhile');
  if ((await hashFile(store.path(digest))).digest === digest) return;
  await rm(store.path(digest), { force: true });
  throw lost(digest, 'was damaged in the store and is removed');
}

function lost(digest: Digest, how: string): ShipError {
  return new ShipError('integrity', `blob ${shortDigest(digest)} ${how}`, {
    hint: 'run the same command again',
    retryable: true,
  });
}

/** Forgets the wire form of a blob, because a node found other bytes in it. */
export async function dropWire(store: BlobStore, digest: Digest, form: WireForm): Promise<void> {
  if (form !== 'plain') await rm(wirePath(store, digest, form), { force: true });
}

async function make(
  { store, digest, compressor, signal }: Wanted,
  form: Exclude<WireForm, 'plain'>,
): Promise<void> {
  const path = wirePath(store, digest, form);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const scratch = await store.scratch();
  try {
    const part = join(scratch, 'wire');
    const from = store.path(digest);
    if (isPatch(form)) await compressor.patch(store.path(form.base.digest), from, part, signal);
    else await compressor.compress(from, part, form, signal);
    await rename(part, path);
  } catch (error) {
    throw diskError(scratch, error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function wirePath(store: BlobStore, digest: Digest, form: Exclude<WireForm, 'plain'>): string {
  return join(store.folder, 'wire', wireName(digest, form));
}
