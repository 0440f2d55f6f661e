import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline as pipe, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { z } from 'zod';
import type { Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import { peek } from './compressed.ts';
import { diskError } from '../core/disk.ts';

/** A file of a saved archive, on disk and hashed. */
export interface SavedFile {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
}

/** One image of a saved archive: its config and its layers, lowest first, as they lie in it. */
export interface SavedImage {
  readonly names: readonly string[];
  readonly config: SavedFile;
  readonly layers: readonly SavedFile[];
}

/** What is known of archives that were read before. */
export interface Reading {
  /** A file that need not be read, because it lies elsewhere already. */
  readonly known?: (name: string, size: number) => Promise<SavedFile | undefined>;
  /** Is given each file that was read and hashed, and says where it lies from then on. */
  readonly taken?: (file: SavedFile) => SavedFile | Promise<SavedFile>;
  /** Is told all files by their names. */
  readonly read?: (files: ReadonlyMap<string, SavedFile>) => Promise<void>;
}

const MAX_MANIFEST = 4 * 1024 * 1024;

/**
 * Reads what `docker save` writes: the layout of the classic store (`<id>/layer.tar`) and that of
 * the containerd store (`blobs/sha256/…`, maybe compressed, maybe with attestations beside it). Layers
 * are uncompressed on the way, so that their digests are their diff IDs.
 * Both hold a `manifest.json` that lists the images of this machine's platform. An archive that was
 * cut at an entry boundary is valid tar, so what counts is that every file it lists is there (F9).
 *
 * @param folder empty; the files are put there and are the caller's to remove
 * @throws ShipError `integrity`
 */
export async function readSavedImages(
  archive: Readable,
  folder: string,
  signal: AbortSignal,
  reading: Reading = {},
): Promise<readonly SavedImage[]> {
  const files = await unpack(archive, folder, signal, reading);
  await reading.read?.(files);
  const manifest = files.get('manifest.json');
  if (manifest === undefined) throw incomplete('it has no manifest.json');
  return readManifest(await readFile(manifest.path, 'utf8')).map((image) => ({
    names: image.RepoTags ?? [],
    config: fileOf(files, image.Config),
    layers: image.Layers.map((name) => fileOf(files, name)),
  }));
}

async function unpack(
  archive: Readable,
  folder: string,
  signal: AbortSignal,
  { known, taken = (file) => file }: Reading,
): Promise<Map<string, SavedFile>> {
  const files = new Map<string, SavedFile>();
  const links = new Map<string, string>();
  const reader = extract();
  const fed = pipeline(archive, reader, { signal });
  fed.catch(() => undefined);
  try {
    for await (const entry of reader) {
      const { name, type, linkname, size } = entry.header;
      if (type === 'file') {
        const there = await known?.(name, size);
        const keepIt = (): Promise<SavedFile> =>
          keep(entry, name, join(folder, String(files.size)));
        files.set(name, there ?? (await taken(await keepIt())));
      } else if (linkname != null) links.set(name, linkname);
      entry.resume();
    }
    await fed;
  } catch (error) {
    const cause = diskError(folder, error);
    if (cause instanceof ShipError) throw cause;
    signal.throwIfAborted();
    throw new ShipError('integrity', 'docker save sent a broken archive', {
      retryable: true,
      cause,
    });
  }
  // Old engines write a layer that occurs twice once, and link to it.
  for (const [name, target] of links) {
    const linked = files.get(join(name, '..', target));
    if (linked !== undefined) files.set(name, linked);
  }
  return files;
}

async function keep(entry: AsyncIterable<unknown>, name: string, path: string): Promise<SavedFile> {
  const { bytes, decompress } = await peek(entry);
  const packed = meter();
  // What goes wrong before the last stream comes out of it as an error.
  const plain =
    decompress === undefined ? bytes : pipe(bytes, packed.stream, decompress, () => undefined);
  const written = await writeHashed(plain, path);
  const digest = decompress === undefined ? written.digest : packed.end().digest;
  const named = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
  if (named !== undefined && digest !== `sha256:${named}`) {
    throw new ShipError('integrity', `docker save: blob ${named.slice(0, 12)} has another digest`);
  }
  return { path, ...written };
}

interface Written {
  readonly digest: Digest;
  readonly size: number;
}

/** Writes a stream to a new file and hashes it on the way. Size in bytes. */
export async function writeHashed(source: AsyncIterable<unknown>, path: string): Promise<Written> {
  const { stream, end } = meter();
  await pipeline(source, stream, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  return end();
}

/** Passes bytes on, and says at the end what they were. */
function meter(): { readonly stream: Transform; readonly end: () => Written } {
  const hash = createHash('sha256');
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _, next) {
      hash.update(chunk);
      size += chunk.length;
      next(null, chunk);
    },
  });
  return { stream, end: () => ({ digest: `sha256:${hash.digest('hex')}`, size }) };
}

/**
 * A layer as the uncompressed tar that its diff ID names, whatever it lies in the archive as. The file
 * is opened by whoever reads: an error of a stream that nobody listens to ends the process.
 */
export function openLayer(file: SavedFile): Readable {
  return Readable.from(layerBytes(file), { objectMode: false });
}

async function* layerBytes({ path }: SavedFile): AsyncGenerator<Uint8Array> {
  const { bytes, decompress } = await peek(createReadStream(path, { highWaterMark: 1024 * 1024 }));
  yield* decompress === undefined ? bytes : pipe(bytes, decompress, () => undefined);
}

/** What is used of `manifest.json`. */
const manifests = z.array(
  z.object({
    Config: z.string(),
    RepoTags: z.array(z.string()).nullish(),
    Layers: z.array(z.string()),
  }),
);

function readManifest(text: string): z.output<typeof manifests> {
  if (text.length > MAX_MANIFEST) throw incomplete('its manifest.json is too large');
  try {
    return manifests.parse(JSON.parse(text));
  } catch {
    throw incomplete('its manifest.json is not one');
  }
}

function fileOf(files: ReadonlyMap<string, SavedFile>, name: string): SavedFile {
  const file = files.get(name);
  if (file === undefined) throw incomplete(`${name.slice(0, 80)} is missing`);
  return file;
}

function incomplete(why: string): ShipError {
  return new ShipError('integrity', `docker save sent an incomplete archive: ${why}`, {
    hint: 'look at the log of dockerd, then run the same command again',
    retryable: true,
  });
}

/** Removes the files that `readSavedImages` left. */
export async function discard(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
