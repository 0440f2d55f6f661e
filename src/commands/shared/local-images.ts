import { rm } from 'node:fs/promises';
import type { Digest } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import { qualified } from '../../facts/node-store.ts';
import { readArchiveNames } from '../../image/archive-read.ts';
import type { LocalBuild } from '../../drift/frozen.ts';
import { openStore, type BlobStore } from '../../image/store.ts';
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
 * @throws ShipError `build` where Docker does not tell them
 */
export async function dockerImages(
  docker: DockerDaemon,
  names: readonly string[],
  signal: AbortSignal,
): Promise<LocalImages> {
  const found = await dockerBuilds(docker, names, signal);
  return new Map(found.map(({ name, config = unknownHere(name) }) => [name, config]));
}

/**
 * What Docker has under these names; what it lacks is left out. One with the containerd store tells no
 * config digest of an image that never was in the blob store of this machine: its own id is another
 * digest.
 */
export async function dockerBuilds(
  docker: DockerDaemon,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly LocalBuild[]> {
  const store = await openStore(storeFolder());
  const found = await Promise.all(names.map((name) => dockerBuild(docker, name, store, signal)));
  return found.flatMap((build) => build ?? []);
}

async function dockerBuild(
  docker: DockerDaemon,
  name: string,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<LocalBuild | undefined> {
  const seen = await docker.inspect(name, signal);
  if (seen === undefined) return undefined;
  const { diffIds, id } = seen;
  const known = await blobs.recall(id);
  if (known !== undefined) return { name, diffIds, config: known.config.digest };
  const { store } = await docker.info(signal);
  return store === 'classic' ? { name, diffIds, config: id } : { name, diffIds };
}

function unknownHere(name: string): never {
  throw new ShipError('build', `Docker does not say which image ${name} is by its config`, {
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
