import type { Digest } from '../core/digest.ts';
import { digestName, totalSize, type Platform, type ShipImage } from '../core/image.ts';
import type { Run, Step } from '../core/step.ts';
import { counted } from '../core/text.ts';
import { qualified } from '../facts/node-store.ts';
import { readEntry, readIndex, type Archive } from './archive-index.ts';
import { badArchive, unpackArchive } from './archive-unpack.ts';
import { discard, type SavedImage } from './docker-save.ts';
import { storeImage } from './ship-image.ts';
import type { BlobStore } from './store.ts';

/** An image that the config names. */
export interface WantedImage {
  readonly key: string;
  /** `REPO:TAG`. */
  readonly name: string;
}

/** Throws ShipError unless `index`, the bytes of an archive's `index.json`, may be trusted. */
export type Vouch = (index: Uint8Array, signal: AbortSignal) => Promise<void>;

/** Images of an archive, by their full references. */
type NamedImages = ReadonlyMap<string, SavedImage>;

/**
 * One step that brings the images of an archive into the store, when they are exactly those that the
 * config names: a name more could replace any image of a node (D12).
 *
 * @param vouch asked before anything of the archive is read but the names and digests of its entries
 */
export function readArchiveStep(
  file: string,
  wanted: readonly WantedImage[],
  platform: Platform,
  store: BlobStore,
  vouch: Vouch | undefined,
): Step<readonly ShipImage[]> {
  return {
    id: 'archive',
    title: `check ${file}`,
    run: async (run) => {
      const scratch = await store.scratch();
      try {
        const entries = await unpackArchive(file, scratch, run.signal);
        const index = await readEntry({ file, entries }, 'index.json');
        await vouch?.(index, run.signal);
        return await storeWanted({ file, entries }, wanted, platform, store, run);
      } finally {
        await discard(scratch);
      }
    },
    describe: (images) => {
      const size = totalSize(images.flatMap(({ layers }) => layers));
      return `${counted(images.length, 'image')}, ${(size / 1e6).toFixed(0)} MB`;
    },
  };
}

/**
 * What an archive holds: full reference → config digest. It is checked as by a push, and unpacked into
 * `folder`, which is the caller's to remove.
 *
 * @throws ShipError as `readArchiveStep`
 */
export async function readArchiveNames(
  file: string,
  folder: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Digest>> {
  const entries = await unpackArchive(file, folder, signal);
  const named = await readIndex({ file, entries });
  return new Map([...named].map(([name, { config }]) => [name, config.digest]));
}

async function storeWanted(
  archive: Archive,
  wanted: readonly WantedImage[],
  platform: Platform,
  store: BlobStore,
  run: Run,
): Promise<readonly ShipImage[]> {
  const named = await readIndex(archive);
  const found = wanted.map((image) => ({ ...image, saved: find(archive, named, image) }));
  requireNoOthers(archive, named, found);
  const images: ShipImage[] = [];
  for (const { key, name, saved } of found) {
    run.progress({ text: `store ${name}` });
    const stored = await storeImage(saved, platform, store);
    images.push({ ...stored, key, name, digestName: digestName(name, stored.config.digest) });
  }
  return images;
}

function find({ file }: Archive, named: NamedImages, { name }: WantedImage): SavedImage {
  const found = named.get(qualified(name));
  if (found !== undefined) return found;
  throw badArchive(file, 'index.json', `does not name ${name}, which the config does`);
}

/** Each image may have its two names; a third one could be that of any image of a node. */
function requireNoOthers(
  { file }: Archive,
  named: NamedImages,
  found: readonly { readonly name: string; readonly saved: SavedImage }[],
): void {
  const allowed = new Map<string, Digest>();
  for (const { name, saved } of found) {
    const { digest } = saved.config;
    allowed.set(qualified(name), digest).set(qualified(digestName(name, digest)), digest);
  }
  for (const [name, { config }] of named) {
    if (allowed.get(name) === config.digest) continue;
    throw badArchive(file, 'index.json', `names ${name}, which the config does not`);
  }
}
