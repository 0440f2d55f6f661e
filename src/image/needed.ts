import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isDigest, type Digest } from '../core/digest.ts';
import { blobsOf, type ShipImage } from '../core/image.ts';
import type { BlobStore } from './store.ts';
import { writeWhole } from './write-whole.ts';

/** Paths of a project whose last push the store keeps. */
export interface Project {
  readonly config: string;
  /** `ciliumship.lock` beside it; a project may have none. */
  readonly lock: string;
}

const registrations = z.object({
  files: z.array(z.string()),
  lock: z.string(),
  blobs: z.array(z.custom<Digest>((text) => isDigest(String(text)))),
});

/**
 * Registers what a project pushed last, so that pruning keeps it and what its lock file names. The
 * registration lapses when the config, or a lock file that is there now, is gone.
 */
export async function registerPush(
  store: BlobStore,
  { config, lock }: Project,
  images: readonly ShipImage[],
): Promise<void> {
  const folder = join(store.folder, 'needed');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = (await exists(lock)) ? [config, lock] : [config];
  const blobs = [...new Set(images.flatMap(blobsOf).map((blob) => blob.digest))];
  const name = createHash('sha256').update(lock).digest('hex');
  await writeWhole(join(folder, `${name}.json`), JSON.stringify({ files, lock, blobs }));
}

/** Digests of all blobs that a registered project needs; what lapsed is forgotten. */
export async function neededBlobs(store: BlobStore): Promise<ReadonlySet<Digest>> {
  const folder = join(store.folder, 'needed');
  const needed = new Set<Digest>();
  const locks: string[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const file = join(folder, name);
    const found = await readRegistration(file);
    const there = await Promise.all((found?.files ?? []).map(exists));
    if (found === undefined || there.includes(false)) {
      await rm(file, { force: true });
      continue;
    }
    for (const one of found.blobs) needed.add(one);
    locks.push(await readFile(found.lock, 'utf8').catch(() => ''));
  }
  // An older push may be the one that is deployed: a lock file names images by config digest.
  for (const image of await store.images()) {
    const { config, manifest, layers } = image;
    if (!locks.some((text) => text.includes(config.digest))) continue;
    for (const blob of [...layers, config, manifest]) needed.add(blob.digest);
  }
  return needed;
}

async function readRegistration(file: string): Promise<z.output<typeof registrations> | undefined> {
  try {
    return registrations.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
