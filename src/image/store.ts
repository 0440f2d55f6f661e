import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { hexOf, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { Blob, BlobSource } from '../core/image.ts';
import { diskError } from '../core/disk.ts';
import { writeHashed, type SavedFile } from './docker-save.ts';
import { records, type Records } from './records.ts';
import { writeWhole } from './write-whole.ts';

/**
 * The blob store: an OCI image layout whose layers are uncompressed, so that a layer's digest is
 * its diff ID. Content-addressed: two processes may write the same blob at once and both be right.
 */
export interface BlobStore extends BlobSource, Records {
  readonly folder: string;
  /** Path of a blob of the store. */
  path(digest: Digest): string;
  has(blob: Pick<Blob, 'digest' | 'size'>): Promise<boolean>;
  size(digest: Digest): Promise<number | undefined>;
  /** @throws ShipError `integrity` when the bytes have another digest; nothing is kept then */
  put(digest: Digest, bytes: Readable): Promise<number>;
  /** Takes over a file of `scratch` whose digest was taken while it was written. */
  adopt(file: SavedFile): Promise<number>;
  /** A new empty folder on the store's file system; the caller removes it. */
  scratch(): Promise<string>;
}

const EMPTY_INDEX = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [],
};
const DAY = 24 * 60 * 60_000;

/** Opens the store of a folder, made when missing (0700: images may hold what is private). */
export async function openStore(folder: string): Promise<BlobStore> {
  const blobs = join(folder, 'blobs', 'sha256');
  const made = join(folder, 'made');
  for (const path of [blobs, made, join(folder, 'scratch')]) {
    await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw diskError(path, error);
    });
  }
  await reapScratch(join(folder, 'scratch'));
  await completeLayout(folder);
  const path = (digest: Digest): string => join(blobs, hexOf(digest));
  const size = async (digest: Digest): Promise<number | undefined> =>
    (await stat(path(digest)).catch(() => undefined))?.size;
  const scratch = (): Promise<string> => mkdtemp(join(folder, 'scratch', `part-${process.pid}-`));
  const has: BlobStore['has'] = async (blob) => (await size(blob.digest)) === blob.size;
  return {
    folder,
    path,
    size,
    has,
    read: (digest, range) =>
      createReadStream(path(digest), { start: range?.start ?? 0, highWaterMark: 1024 * 1024 }),
    put: async (digest, bytes) => putBlob(path(digest), digest, bytes, await scratch()),
    adopt: async (file) => {
      await chmod(file.path, 0o600);
      await rename(file.path, path(file.digest));
      return file.size;
    },
    scratch,
    ...records(made, has),
  };
}

/** What makes a folder with blobs an OCI layout; an index that is there may be another tool's. */
async function completeLayout(folder: string): Promise<void> {
  const files = { 'oci-layout': { imageLayoutVersion: '1.0.0' }, 'index.json': EMPTY_INDEX };
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || found.size === 0) await writeWhole(path, JSON.stringify(content));
  }
}

/**
 * Removes what killed runs left: what is a day old by a clock that may have jumped, and whose process
 * is gone. Another machine may share the folder, so the process alone decides nothing either.
 */
async function reapScratch(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < DAY || isOurs(name)) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function putBlob(
  path: string,
  digest: Digest,
  bytes: Readable,
  scratch: string,
): Promise<number> {
  const part = join(scratch, 'blob');
  try {
    const written = await writeHashed(bytes, part);
    if (written.digest !== digest) {
      throw new ShipError('integrity', `a blob has digest ${written.digest}, not ${digest}`);
    }
    await rename(part, path);
    return written.size;
  } catch (error) {
    throw diskError(scratch, error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** True for a folder whose process lives on this machine. */
function isOurs(name: string): boolean {
  const pid = Number(/^part-(\d+)-/.exec(name)?.[1] ?? 0);
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
