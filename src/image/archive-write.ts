import { access, constants, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream';
import streams from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';
import { hexOf, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import { blobsOf, totalSize, type Blob, type ShipImage } from '../core/image.ts';
import { indexText, LAYOUT_TEXT } from '../core/oci.ts';
import type { Run, Step } from '../core/step.ts';
import { counted } from '../core/text.ts';
import { qualified } from '../facts/node-store.ts';
import { compressor, formOfName } from './archive-form.ts';
import { diskError } from '../core/disk.ts';
import { writeHashed } from './docker-save.ts';
import type { BlobStore } from './store.ts';
import { requireWhole } from './wire.ts';

const OTHER_FILE =
  'make room there, or name a file on another disk: ciliumship save /other/images.tar.zst';

/** Nothing of who saved it, or when. */
const PLAIN = { mode: 0o644, mtime: new Date(0) };

/** An archive on this machine: its own digest, and its size in bytes. */
export interface SavedArchive {
  readonly file: string;
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Looks whether an archive can be written, before minutes are spent on what goes into it.
 *
 * @throws ShipError `usage`
 */
export async function requireWritable(file: string): Promise<void> {
  formOfName(file);
  const folder = dirname(file);
  const there = await stat(file).catch(() => undefined);
  if (there !== undefined && !there.isFile()) throw unusable(`${file} is not a file`);
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw unusable(`cannot write to ${folder}`, cause);
  });
}

function unusable(message: string, cause?: unknown): ShipError {
  const hint = 'name a file in a folder that you may write to: ciliumship save ./images.tar.gz';
  return new ShipError('usage', message, { hint, cause });
}

/**
 * One step that writes images to one OCI archive: both names of each, `index.json` last, so that a
 * cut archive names nothing. The same images give
 * the same tar; how it is compressed may vary. A file that is there is replaced
 * in one moment, when the new one is whole.
 */
export function saveStep(
  images: readonly ShipImage[],
  file: string,
  store: BlobStore,
): Step<SavedArchive> {
  return {
    id: 'save',
    title: `save ${counted(images.length, 'image')} to ${file}`,
    plan: () => images.flatMap(namesOf).map((name) => `${file}: ${name}`),
    run: (run) => save(images, file, store, run),
    describe: ({ size }) => `${(size / 1e6).toFixed(0)} MB`,
  };
}

async function save(
  images: readonly ShipImage[],
  file: string,
  store: BlobStore,
  run: Run,
): Promise<SavedArchive> {
  const part = join(dirname(file), `.${basename(file)}.${process.pid}.part`);
  const tar = pack();
  fill(tar, images, store, run).catch((error: unknown) => tar.destroy(error as Error));
  try {
    // What goes wrong before the last stream comes out of it as an error.
    const packed = pipeline(tar, compressor(formOfName(file)), () => undefined);
    const written = await writeHashed(packed, part);
    await flush(part);
    await rename(part, file);
    return { file, ...written };
  } catch (error) {
    throw diskError(dirname(file), error, OTHER_FILE);
  } finally {
    await rm(part, { force: true });
  }
}

async function fill(
  tar: Pack,
  images: readonly ShipImage[],
  store: BlobStore,
  run: Run,
): Promise<void> {
  const blobs = distinctBlobs(images);
  const total = totalSize(blobs);
  let bytes = 0;
  addText(tar, 'oci-layout', LAYOUT_TEXT);
  for (const blob of blobs) {
    await requireWhole(store, blob.digest);
    const name = `blobs/sha256/${hexOf(blob.digest)}`;
    const entry = tar.entry({ ...PLAIN, name, size: blob.size });
    await streams.pipeline(store.read(blob.digest), entry, { signal: run.signal });
    bytes += blob.size;
    run.progress({ bytes, total });
  }
  addText(tar, 'index.json', archiveIndex(images));
  tar.finalize();
}

/**
 * The `index.json` of an archive of these images, which is what a signature of it signs
 * (docs/decisions/0004): it names every other byte by digest, and is known before the first is
 * written.
 */
export function archiveIndex(images: readonly ShipImage[]): string {
  return indexText(images.flatMap((image) => namesOf(image).map((name) => ({ image, name }))));
}

/** What is small comes first, so that a reader soon knows what it has. */
function distinctBlobs(images: readonly ShipImage[]): readonly Blob[] {
  const blobs = new Map(images.flatMap(blobsOf).map((blob) => [blob.digest, blob]));
  return [...blobs.values()].toSorted((a, b) => a.size - b.size || compare(a.digest, b.digest));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function addText(tar: Pack, name: string, text: string): void {
  tar.entry({ ...PLAIN, name }, text);
}

function namesOf(image: ShipImage): readonly string[] {
  return [image.name, image.digestName].map(qualified);
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
