import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { hexOf, isDigest, type Digest } from '../core/digest.ts';
import { MANIFEST_TYPE, NAME_ANNOTATION } from '../core/oci.ts';
import { badArchive } from './archive-unpack.ts';
import type { SavedFile, SavedImage } from './docker-save.ts';
import { readConfig } from './ship-image.ts';

/** An unpacked archive: where it came from, and its entries by name. */
export interface Archive {
  readonly file: string;
  readonly entries: ReadonlyMap<string, SavedFile>;
}

const MAX_TEXT = 4 * 1024 * 1024;
const MAX_LIST = 256;

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  size: z.int().nonnegative(),
});

type Descriptor = z.output<typeof descriptor>;

/** A list is measured before its entries are looked at: each wrong one would cost memory. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(z.unknown()).max(MAX_LIST).pipe(z.array(item));
}

const layoutFile = z.object({ imageLayoutVersion: z.literal('1.0.0') });
const indexFile = z.object({
  schemaVersion: z.literal(2),
  manifests: listOf(
    descriptor.extend({
      mediaType: z.literal(MANIFEST_TYPE),
      annotations: z.object({ [NAME_ANNOTATION]: z.string() }),
    }),
  ),
});
const manifestFile = z.object({
  schemaVersion: z.literal(2),
  config: descriptor,
  layers: listOf(descriptor),
});

/**
 * Follows the index of an archive to the files of each image. Every blob must be there with the size
 * that its descriptor says, and no blob may be there that none names.
 *
 * @returns full reference → config and layers
 * @throws ShipError `integrity` with file, entry and reason
 */
export async function readIndex(archive: Archive): Promise<ReadonlyMap<string, SavedImage>> {
  const used = new Set(['oci-layout', 'index.json']);
  const images = new Map<string, SavedImage>();
  await parse(archive, 'oci-layout', layoutFile);
  const index = await parse(archive, 'index.json', indexFile);
  for (const { annotations, ...manifest } of index.manifests) {
    const name = annotations[NAME_ANNOTATION];
    if (images.has(name)) throw badArchive(archive.file, 'index.json', `names ${name} twice`);
    images.set(name, await readImage(archive, name, manifest, used));
  }
  const stray = [...archive.entries.keys()].find((entry) => !used.has(entry));
  if (stray !== undefined) throw badArchive(archive.file, stray, 'belongs to no image');
  return images;
}

async function readImage(
  archive: Archive,
  name: string,
  manifest: Descriptor,
  used: Set<string>,
): Promise<SavedImage> {
  const fileOf = (blob: Descriptor): SavedFile => {
    const entry = entryOf(blob);
    const found = need(archive, entry);
    used.add(entry);
    if (found.size === blob.size) return found;
    throw badArchive(archive.file, entry, `is ${found.size} bytes long, not ${blob.size}`);
  };
  fileOf(manifest);
  const { config, layers } = await parse(archive, entryOf(manifest), manifestFile);
  const image = { names: [name], config: fileOf(config), layers: layers.map(fileOf) };
  await requireLayers(archive, config, image);
  return image;
}

/** Layers lie in an archive as their diff IDs name them: nothing is left to unpack (D13). */
async function requireLayers(
  archive: Archive,
  config: Descriptor,
  { layers }: SavedImage,
): Promise<void> {
  const entry = entryOf(config);
  const { diffIds } = readConfig(await readEntry(archive, entry));
  const same =
    diffIds.length === layers.length && layers.every(({ digest }, at) => digest === diffIds[at]);
  if (!same) throw badArchive(archive.file, entry, 'lists other layers than the manifest');
}

function entryOf({ digest }: Descriptor): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function need({ file, entries }: Archive, entry: string): SavedFile {
  const found = entries.get(entry);
  if (found === undefined) throw badArchive(file, entry, 'is missing');
  return found;
}

async function parse<Schema extends z.ZodType>(
  archive: Archive,
  entry: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const text = await readEntry(archive, entry);
  try {
    return schema.parse(JSON.parse(text.toString('utf8')));
  } catch (cause) {
    throw badArchive(archive.file, entry, 'is not what its name says', cause);
  }
}

/**
 * The bytes of a small entry.
 *
 * @throws ShipError `integrity` when it is missing or too large
 */
export async function readEntry(archive: Archive, entry: string): Promise<Buffer> {
  const { path, size } = need(archive, entry);
  if (size > MAX_TEXT) throw badArchive(archive.file, entry, `is ${size} bytes long, too many`);
  return readFile(path);
}
