import { rm } from 'node:fs/promises';
import type { Digest } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import { qualified } from '../../facts/node-store.ts';
import { readArchiveNames } from '../../image/archive-read.ts';
import { openStore } from '../../image/store.ts';
import type { DockerDaemon } from '../../system/docker.ts';
import { storeFolder } from './store.ts';

export interface ArchiveFlag {
  /** An archive that is compared instead of Docker's images. */
  readonly archive?: string;
}

/** What an archive or Docker has: config digests by name. What is not there is left out. */
export type LocalImages = ReadonlyMap<string, Digest>;

/**
 * Config digests of images that Docker has.
 *
 * @throws ShipError `build` for a Docker with the containerd store whose image never was in the blob
 * store of this machine: its own id is another digest, which says nothing about the config
 */
export async function dockerImages(
  docker: DockerDaemon,
  names: readonly string[],
  signal: AbortSignal,
): Promise<LocalImages> {
  const store = await openStore(storeFolder());
  const found = names.map(async (name) => {
    const seen = await docker.inspect(name, signal);
    if (seen === undefined) return [];
    // Docker's own id is the config digest on the classic store only.
    const known = await store.recall(seen.id);
    if (known !== undefined) return [[name, known.config.digest] as const];
    const { store: kind } = await docker.info(signal);
    if (kind !== 'classic') throw unknownHere(name);
    return [[name, seen.id] as const];
  });
  return new Map((await Promise.all(found)).flat());
}

function unknownHere(name: string): ShipError {
  return new ShipError('build', `Docker does not say which image ${name} is by its config`, {
    hint: 'ciliumship push --no-build brings it to the blob store, which knows',
  });
}

/**
 * The same of an archive; it is unpacked beside the blob store, and nothing of it stays.
 *
 * @throws ShipError as `readArchiveNames`
 */
export async function archiveImages(
  file: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<LocalImages> {
  const store = await openStore(storeFolder());
  const scratch = await store.scratch();
  try {
    const named = await readArchiveNames(file, scratch, signal);
    const found = names.map((name) => [name, named.get(qualified(name))] as const);
    return new Map(found.flatMap(([name, digest]) => (digest ? [[name, digest] as const] : [])));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
