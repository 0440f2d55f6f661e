import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { hexOf, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { Blob, BlobSource, ShipImage } from '../core/image.ts';
import { diskError } from './disk.ts';
import { writeHashed, type SavedFile } from './docker-save.ts';

/**
 * The blob store: an OCI image layout whose layers are uncompressed, so that a layer's digest is
 * its diff ID. Content-addressed: two processes may write the same blob at once and both be right.
 */
export interface BlobStore extends BlobSource {
  readonly folder: string;
  /** Path of a blob of the store. */
  path(digest: Digest): string;
  has(blob: Pick<Blob, 'digest' | 'size'>): Promise<boolean>;
  size(digest: Digest): Promise<number | undefined>;
  /** @throws ShipError `integrity` when the bytes have another digest; nothing is kept then */
  put(digest: Digest, bytes: Readable): Promise<number>;
  /** Takes over a file of `scratch` whose digest was taken while it was written. */
  adopt(file: SavedFile): Promise<number>;
  /** The ship image that was made of a Docker image, when all of it is still here. */
  recall(dockerId: Digest): Promise<Omit<ShipImage, 'key' | 'name' | 'digestName'> | undefined>;
  remember(dockerId: Digest, image: Omit<ShipImage, 'key' | 'name' | 'digestName'>): Promise<void>;
  /** A new empty folder on the store's file system; the caller removes it. */
  scratch(): Promise<string>;
}

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
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const path = (digest: Digest): string => join(blobs, hexOf(digest));
  const size = async (digest: Digest): Promise<number | undefined> =>
    (await stat(path(digest)).catch(() => undefined))?.size;
  const scratch = (): Promise<string> => mkdtemp(join(folder, 'scratch', 'part-'));
  const store: BlobStore = {
    folder,
    path,
    size,
    has: async (blob) => (await size(blob.digest)) === blob.size,
    read: (digest, range) =>
      createReadStream(path(digest), { start: range?.start ?? 0, highWaterMark: 1024 * 1024 }),
    put: async (digest, bytes) => putBlob(path(digest), digest, bytes, await scratch()),
    adopt: async (file) => {
      await rename(file.path, path(file.digest));
      return file.size;
    },
    recall: (dockerId) => recall(join(made, `${hexOf(dockerId)}.json`), store),
    remember: (dockerId, image) =>
      writeWhole(join(made, `${hexOf(dockerId)}.json`), JSON.stringify(image)),
    scratch,
  };
  return store;
}

/** Removes what killed runs left; a run of a day ago is none any more. */
async function reapScratch(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < DAY) continue;
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

async function recall(
  file: string,
  store: BlobStore,
): Promise<Omit<ShipImage, 'key' | 'name' | 'digestName'> | undefined> {
  const image = await readRecord(file);
  if (image === undefined) return undefined;
  const there = await Promise.all(
    [...image.layers, image.config, image.manifest].map((blob) => store.has(blob)),
  );
  return there.every(Boolean) ? image : undefined;
}

/** A record that a power cut left half written is none: the image is exported once more. */
async function readRecord(
  file: string,
): Promise<Omit<ShipImage, 'key' | 'name' | 'digestName'> | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Awaited<ReturnType<typeof readRecord>>;
  } catch {
    return undefined;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const part = join(dirname(file), `.${process.pid}-${Date.now()}.part`);
  await writeFile(part, text, { mode: 0o600 });
  await rename(part, file);
}
