import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isDigest, type Digest } from '../core/digest.ts';
import type { SavedFile } from './docker-save.ts';
import type { BlobStore } from './store.ts';
import { writeWhole } from './write-whole.ts';

/** So many names are remembered; an image has some ten. */
const KEPT = 500;

/** What a name in an archive of `docker save` stood for the last time, when the store still has it. */
export type Known = (name: string, size: number) => Promise<SavedFile | undefined>;

const names = z.record(
  z.string(),
  z.custom<Digest>((text) => isDigest(String(text))),
);

/**
 * The layers of the archives that were read before, by the names that Docker gives them: the classic
 * store makes a name of the layer and all below it, so that one which comes again need not be read.
 * It is a guess all the same. Only bytes of the store that were hashed take a layer's place, and an
 * image is refused whose config names others (see `forgetNames`).
 */
export async function knownNames(store: BlobStore): Promise<Known> {
  const known = await readNames(store);
  return async (name, size) => {
    const digest = known.get(name);
    if (digest === undefined || !(await store.has({ digest, size }))) return undefined;
    return { path: store.path(digest), digest, size };
  };
}

/** Remembers what the names of an archive stood for. Throws ShipError `build` for a full disk. */
export async function rememberNames(
  store: BlobStore,
  files: ReadonlyMap<string, SavedFile>,
): Promise<void> {
  const layers = [...files].filter(([name]) => name.endsWith('/layer.tar'));
  if (layers.length === 0) return;
  const now = new Map(layers.map(([name, { digest }]) => [name, digest]));
  const before = [...(await readNames(store))].filter(([name]) => !now.has(name));
  const kept = [...before, ...now].slice(-KEPT);
  await writeWhole(fileOf(store), JSON.stringify(Object.fromEntries(kept)));
}

/** After an export that failed: if a guess was wrong, the next one goes without. */
export async function forgetNames(store: BlobStore): Promise<void> {
  await rm(fileOf(store), { force: true });
}

/** A record that cannot be read is none: only time is lost with it. */
async function readNames(store: BlobStore): Promise<ReadonlyMap<string, Digest>> {
  try {
    return new Map(Object.entries(names.parse(JSON.parse(await readFile(fileOf(store), 'utf8')))));
  } catch {
    return new Map();
  }
}

function fileOf({ folder }: BlobStore): string {
  return join(folder, 'saved-names.json');
}
