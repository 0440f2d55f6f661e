import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { isDigest, type Digest } from '../core/digest.ts';
import type { Blob, Layered, ShipImage } from '../core/image.ts';
import { diskError } from '../core/disk.ts';
import type { BlobStore } from './store.ts';

/** So many images of a repository are remembered: a node that was off may be some pushes behind. */
const KEPT = 8;

/** The layers of one image, from the lowest to the highest. */
type Layers = readonly Pick<Blob, 'digest' | 'size'>[];

/**
 * Layers that those of these images may be patches of: what lay at the same place in earlier images
 * of the same repository, newest first, as far as the store still holds them.
 */
export async function earlierLayers(
  store: BlobStore,
  images: readonly Layered[],
): Promise<ReadonlyMap<Digest, readonly Blob[]>> {
  const earlier = new Map<Digest, readonly Blob[]>();
  for (const image of images) {
    const known = await recallEarlier(store, image);
    for (const [place, { digest }] of image.layers.entries()) {
      const layers = known.flatMap((older) => older[place] ?? []);
      const others = layers.filter((layer) => layer.digest !== digest);
      const held = await Promise.all(others.map((layer) => store.has(layer)));
      const blobs = others
        .filter((_, at) => held[at])
        .map((layer) => ({ kind: 'layer', ...layer }) as const);
      earlier.set(digest, [...(earlier.get(digest) ?? []), ...blobs]);
    }
  }
  return earlier;
}

/** Remembers images as the newest of their repositories. Throws ShipError `build` for a full disk. */
export async function rememberImages(
  store: BlobStore,
  images: readonly ShipImage[],
): Promise<void> {
  for (const image of images) await rememberImage(store, image);
}

async function rememberImage(store: BlobStore, image: ShipImage): Promise<void> {
  const file = recordOf(store, image);
  const newest = image.layers.map(({ digest, size }) => ({ digest, size }));
  const others = (await recallEarlier(store, image)).filter((layers) => !isSame(layers, newest));
  const part = `${file}.${process.pid}.part`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(part, JSON.stringify([newest, ...others].slice(0, KEPT)), { mode: 0o600 });
    await rename(part, file);
  } catch (error) {
    throw diskError(dirname(file), error);
  }
}

const records = z.array(
  z.array(
    z.object({ digest: z.custom<Digest>((text) => isDigest(String(text))), size: z.number() }),
  ),
);

/** A record that cannot be read is none: nothing but a smaller transfer is lost with it. */
async function recallEarlier(
  store: BlobStore,
  image: Pick<Layered, 'name'>,
): Promise<readonly Layers[]> {
  try {
    return records.parse(JSON.parse(await readFile(recordOf(store, image), 'utf8')));
  } catch {
    return [];
  }
}

/** One file for each repository, whatever characters its name has. */
function recordOf(store: BlobStore, { name }: Pick<Layered, 'name'>): string {
  const repository = name.replace(/:[^/:]+$/, '');
  const hash = createHash('sha256').update(repository).digest('hex');
  return join(store.folder, 'earlier', `${hash}.json`);
}

function isSame(one: Layers, other: Layers): boolean {
  return one.map(({ digest }) => digest).join() === other.map(({ digest }) => digest).join();
}
