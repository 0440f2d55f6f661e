import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { shortDigest, type Digest } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import type { BlobSource, ShipImage } from '../../core/image.ts';
import { readGoProgram } from './go-build-info.ts';
import type { Package } from './package.ts';
import { listReader } from './package-db.ts';

/** Lists of package managers are far smaller; an image may hold anything under their names. */
const MAX_LIST = 64 * 1024 * 1024;
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** What was found in an image, by the path of the list or program that says so. */
export interface Contents {
  readonly packages: ReadonlyMap<string, readonly Package[]>;
  /** Lists of packages that could not be read. */
  readonly unread: readonly string[];
}

/** An entry of a layer as it is read. */
type Entry = ReturnType<typeof extract> extends AsyncIterable<infer One> ? One : never;

interface Found {
  readonly list?: string;
  readonly program?: readonly Package[];
  readonly system?: string;
  readonly unread?: true;
}

/**
 * Reads what an image is made of: the lists of its package managers, and how each Go program in it was
 * built. What a layer replaces or removes does not count.
 *
 * @param blobs holds the layers, uncompressed
 * @throws ShipError `build` when a layer cannot be read, or is no tar
 */
export async function readContents(image: ShipImage, blobs: BlobSource): Promise<Contents> {
  const found = new Map<string, Found>();
  for (const { digest } of image.layers) {
    await readLayer(blobs.read(digest), found).catch((cause: unknown) => {
      throw unreadable(image.name, digest, cause);
    });
  }
  const distribution = [...found.values()].flatMap(({ system }) => system ?? [])[0] ?? '';
  const packages = [...found].flatMap(([path, { list, program }]) => {
    const reader = listReader(path);
    if (list !== undefined && typeof reader === 'function') {
      return [[path, reader(list, distribution)] as const];
    }
    return program === undefined ? [] : [[path, program] as const];
  });
  const unread = [...found].flatMap(([path, is]) => (is.unread === true ? [path] : []));
  return { packages: new Map(packages), unread };
}

async function readLayer(
  bytes: AsyncIterable<Uint8Array>,
  found: Map<string, Found>,
): Promise<void> {
  const reader = extract();
  const reading = pipeline(Readable.from(bytes), reader);
  // Heard below; what is thrown by the loop comes first, and nobody would listen to this.
  reading.catch(() => undefined);
  for await (const entry of reader) await readEntry(entry, found);
  await reading;
}

function unreadable(name: string, digest: Digest, cause: unknown): unknown {
  if (cause instanceof ShipError) return cause;
  const why = (cause as Error).message;
  const message = `${name}: layer ${shortDigest(digest)} cannot be read from the store: ${why}`;
  return new ShipError('build', message, {
    hint: 'run the same command again; what the store lost is exported anew',
    retryable: true,
    cause,
  });
}

async function readEntry(entry: Entry, found: Map<string, Found>): Promise<void> {
  const path = entry.header.name.replace(/^(?:\.?\/)+/, '').replace(/\/$/, '');
  const name = path.split('/').at(-1) ?? '';
  const folder = path.slice(0, path.length - name.length);
  const here: Found | undefined = await readFile(entry, path);
  if (name === OPAQUE) removeBelow(found, folder);
  else if (name.startsWith(WHITEOUT)) remove(found, `${folder}${name.slice(WHITEOUT.length)}`);
  else if (entry.header.type !== 'directory') remove(found, path);
  if (here !== undefined) found.set(path, here);
}

/** Every entry is read to its end: the next one comes behind it. */
async function readFile(entry: Entry, path: string): Promise<Found | undefined> {
  const { type, size } = entry.header;
  const reader = type === 'file' ? listReader(path) : undefined;
  if (type === 'file' && /^(?:etc|usr\/lib)\/os-release$/.test(path) && size < MAX_LIST) {
    const system = /^ID="?([\w.-]+)"?$/m.exec(await text(entry))?.[1];
    return system === undefined ? undefined : { system };
  }
  if (typeof reader === 'function' && size < MAX_LIST) return { list: await text(entry) };
  if (type === 'file' && reader === undefined && size > 0) {
    const program = await readGoProgram(entry);
    return program === undefined ? undefined : { program };
  }
  entry.resume();
  return reader === undefined ? undefined : { unread: true };
}

function remove(found: Map<string, Found>, path: string): void {
  found.delete(path);
  removeBelow(found, `${path}/`);
}

function removeBelow(found: Map<string, Found>, folder: string): void {
  for (const path of found.keys()) if (path.startsWith(folder)) found.delete(path);
}
