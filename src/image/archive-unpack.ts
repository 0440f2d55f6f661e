import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract, type Extract, type Header } from 'tar-stream';
import { ShipError } from '../core/errors.ts';
import { decompressor, formOfBytes } from './archive-form.ts';
import { diskError } from '../core/disk.ts';
import { writeHashed, type SavedFile } from './docker-save.ts';
import { limitUnpacked } from './limit.ts';

const NAMES = /^(?:oci-layout|index\.json|blobs\/sha256\/(?<hex>[0-9a-f]{64}))$/;
const MAX_ENTRIES = 1024;

/** Says what is wrong with an archive: which file, which entry of it, and why. */
export function badArchive(
  file: string,
  entry: string,
  reason: string,
  cause?: unknown,
): ShipError {
  const name = JSON.stringify(entry).slice(1, -1).slice(0, 90);
  return new ShipError('integrity', `${file}: ${name}: ${reason}`, {
    hint: 'nothing was sent; make it again where the images are, with this config: ciliumship save FILE',
    cause,
  });
}

/**
 * Unpacks an OCI archive into `folder`, which is empty and stays the caller's to remove. The archive
 * may come from anyone: nothing in it names a path here, its entries are plain files of a layout, each
 * once, with the digest that they are named by (D12), and what is unpacked is bounded (D13).
 *
 * @returns name of the entry → its file
 * @throws ShipError `usage` when there is no such file, `integrity` with file, entry and reason
 */
export async function unpackArchive(
  file: string,
  folder: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, SavedFile>> {
  await using handle = await openArchive(file);
  const files = new Map<string, SavedFile>();
  let at = 'no archive that can be read';
  try {
    for await (const entry of await entriesOf(handle, signal)) {
      at = entry.header.name;
      requireAllowed(entry.header, files);
      files.set(at, await keep(entry, join(folder, String(files.size))));
    }
  } catch (error) {
    signal.throwIfAborted();
    const cause = diskError(folder, error);
    if (cause instanceof ShipError && cause.kind !== 'integrity') throw cause;
    throw badArchive(file, at, (cause as Error).message, cause);
  }
  return files;
}

/** One entry as tar-stream gives it. */
interface Entry extends AsyncIterable<unknown> {
  readonly header: Header;
}

async function openArchive(file: string): Promise<FileHandle> {
  const hint = 'name a file that ciliumship save wrote: ciliumship push --archive FILE';
  const handle = await open(file).catch((cause: unknown) => {
    throw new ShipError('usage', `cannot read ${file}`, { hint, cause });
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new ShipError('usage', `${file} is not a plain file`, { hint });
}

async function entriesOf(handle: FileHandle, signal: AbortSignal): Promise<Extract> {
  const { size } = await handle.stat();
  const { buffer } = await handle.read({ buffer: Buffer.alloc(4), position: 0 });
  const source = handle.createReadStream({
    start: 0,
    autoClose: false,
    highWaterMark: 1024 * 1024,
  });
  const reader = extract();
  const unpacked = decompressor(formOfBytes(buffer));
  // What goes wrong before the reader comes out of it as an error.
  pipeline(source, unpacked, limitUnpacked(size), reader, { signal }).catch(() => undefined);
  return reader;
}

function requireAllowed({ name, type }: Header, files: ReadonlyMap<string, SavedFile>): void {
  if (files.size >= MAX_ENTRIES) throw refused(`comes after ${MAX_ENTRIES} others`);
  if (!NAMES.test(name)) throw refused('nothing in an image archive has this name');
  if (type !== 'file') throw refused(`is no plain file (${type})`);
  if (files.has(name)) throw refused('is there twice');
}

async function keep(entry: Entry, path: string): Promise<SavedFile> {
  const written = await writeHashed(entry, path);
  const hex = NAMES.exec(entry.header.name)?.groups?.['hex'];
  if (hex !== undefined && written.digest !== `sha256:${hex}`) {
    throw refused(`holds bytes of digest ${written.digest}`);
  }
  return { path, ...written };
}

function refused(reason: string): ShipError {
  return new ShipError('integrity', reason);
}
