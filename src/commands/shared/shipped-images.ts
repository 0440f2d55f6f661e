import type { Config } from '../../config/normalise.ts';
import type { ImageIdentity } from '../../core/image.ts';
import { ShipError } from '../../core/errors.ts';
import { requireShipped } from '../../drift/frozen.ts';
import { lockedIdentity, type LockedImage, type ShipLock } from '../../drift/lock-file.ts';
import type { DockerDaemon } from '../../system/docker.ts';
import type { Context } from '../command.ts';
import { openDocker } from './docker.ts';
import { exportImages, findBuilt } from './images.ts';
import { dockerBuilds } from './local-images.ts';
import { readLock, requireFrozen, type FrozenFlag } from './lock-file.ts';
import { identityData } from './report.ts';
import { openBlobStore } from './store.ts';

/**
 * The images of the config as they were shipped: those of ciliumship.lock, which needs neither Docker
 * nor an archive. Where the lock does not name all of them, those that Docker has.
 *
 * @throws ShipError as `readLock`, `findBuilt` and `exportImages`
 */
export async function shippedImages(context: Context): Promise<readonly ImageIdentity[]> {
  const locked = await lockedImages(context.config);
  return locked === undefined ? dockersOwn(context) : identities(locked);
}

export interface LockedFlag {
  /** What the lock says counts, whatever was built here since. */
  readonly locked?: boolean;
}

/**
 * The same for a rollout, which is refused while Docker has another build that was not shipped: whoever
 * made it would think that it runs. With `--locked` or `--frozen` nobody asks Docker.
 *
 * @throws ShipError `integrity` for another build, or for one that `--frozen` forbids; `config` when
 * the lock does not say what `--locked` asks for
 */
export async function imagesToRollOut(
  context: Context<LockedFlag & FrozenFlag>,
): Promise<readonly ImageIdentity[]> {
  const { config, flags, output } = context;
  const locked = await lockedImages(config);
  if (locked === undefined) return neverLocked(context);
  if (flags.locked !== true && flags.frozen !== true) {
    await requireNothingElse(context, Object.values(locked));
  }
  const images = identities(locked);
  output.record({ images: images.map(identityData) });
  return images;
}

/** Before a first push, and where the config names images anew: the gate proves what Docker has. */
async function neverLocked(
  context: Context<LockedFlag & FrozenFlag>,
): Promise<readonly ImageIdentity[]> {
  const { config, flags } = context;
  // Extra images have no place in values; the gate proves them on the nodes.
  const placed = config.images.map(({ key }) => key);
  if (flags.locked === true) {
    throw new ShipError('config', 'ciliumship.lock does not say that these images were shipped', {
      details: config.images.map(({ repository }) => `${repository}:${config.tag}`),
      hint: 'ship them first: ciliumship push',
    });
  }
  const images = await dockersOwn(context);
  await requireFrozen(context, images, placed);
  return images;
}

/** Undefined when one of the images is not in the lock under the name that it has now. */
async function lockedImages(config: Config): Promise<ShipLock['images'] | undefined> {
  const lock = await readLock(config);
  const found = config.images.flatMap(({ key, repository }) => {
    const image = lock?.images[key];
    return image?.name === `${repository}:${config.tag}` ? [[key, image] as const] : [];
  });
  return found.length === config.images.length ? Object.fromEntries(found) : undefined;
}

function identities(locked: ShipLock['images']): readonly ImageIdentity[] {
  return Object.entries(locked).map(([key, image]) => lockedIdentity(key, image));
}

async function dockersOwn(context: Context): Promise<readonly ImageIdentity[]> {
  const docker = await openDocker(context);
  await using store = await openBlobStore(context);
  return await exportImages(context, docker, await findBuilt(context, docker), store);
}

async function requireNothingElse(
  context: Context,
  shipped: readonly LockedImage[],
): Promise<void> {
  const docker = await dockerIfThere(context);
  if (docker === undefined) return;
  const names = shipped.map(({ name }) => name);
  requireShipped(shipped, await dockerBuilds(docker, names, context.signal));
}

/** Machines that only ship have no Docker, and nothing was built there. */
async function dockerIfThere(context: Context): Promise<DockerDaemon | undefined> {
  try {
    return await openDocker(context);
  } catch (error) {
    const without = error instanceof ShipError && ['build', 'config'].includes(error.kind);
    if (!without) throw error;
    context.output.note(`${error.message}: what ciliumship.lock says was shipped is rolled out`);
    return undefined;
  }
}
