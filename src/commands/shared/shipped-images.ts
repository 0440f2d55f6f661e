import type { Config } from '../../config/normalise.ts';
import type { ImageIdentity } from '../../core/image.ts';
import { ShipError } from '../../core/errors.ts';
import { requireShipped } from '../../drift/frozen.ts';
import { lockedIdentity } from '../../drift/lock-file.ts';
import type { DockerDaemon } from '../../system/docker.ts';
import type { Context } from '../command.ts';
import { openDocker } from './docker.ts';
import { exportImages, findBuilt } from './images.ts';
import { archiveImages, dockerImages, type ArchiveFlag } from './local-images.ts';
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
  return (await lockedImages(context.config)) ?? dockersOwn(context);
}

/**
 * The same for a rollout, which is refused while there is another build here that was not shipped:
 * whoever made it would think that it runs.
 *
 * @throws ShipError `integrity` for another build, or for one that `--frozen` forbids; `config` for an
 * archive that was never shipped
 */
export async function imagesToRollOut(
  context: Context<ArchiveFlag & FrozenFlag>,
): Promise<readonly ImageIdentity[]> {
  const { config, output } = context;
  const locked = await lockedImages(config);
  if (locked === undefined) return neverLocked(context);
  await requireNothingElse(context, locked);
  output.record({ images: locked.map(identityData) });
  return locked;
}

/** Before a first push, and where the config names images anew: the gate proves what Docker has. */
async function neverLocked(
  context: Context<ArchiveFlag & FrozenFlag>,
): Promise<readonly ImageIdentity[]> {
  const { config, flags } = context;
  if (flags.archive !== undefined) throw neverShipped(flags.archive);
  const images = await dockersOwn(context);
  // Extra images have no place in values; the gate proves them on the nodes.
  const placed = config.images.map(({ key }) => key);
  await requireFrozen(context, images, placed);
  return images;
}

/** Undefined when one of the images is not in the lock under the name that it has now. */
async function lockedImages(config: Config): Promise<readonly ImageIdentity[] | undefined> {
  const lock = await readLock(config);
  const found = config.images.flatMap(({ key, repository }) => {
    const image = lock?.images[key];
    return image?.name === `${repository}:${config.tag}` ? [lockedIdentity(key, image)] : [];
  });
  return found.length === config.images.length ? found : undefined;
}

async function dockersOwn(context: Context): Promise<readonly ImageIdentity[]> {
  const docker = await openDocker(context);
  await using store = await openBlobStore(context);
  return await exportImages(context, docker, await findBuilt(context, docker), store);
}

async function requireNothingElse(
  context: Context<ArchiveFlag>,
  shipped: readonly ImageIdentity[],
): Promise<void> {
  const { flags, signal } = context;
  const names = shipped.map(({ name }) => name);
  if (flags.archive !== undefined) {
    const here = await archiveImages(flags.archive, names, signal);
    const hint = `ship it first: ciliumship push --archive ${flags.archive}`;
    return requireShipped(shipped, here, { place: flags.archive, hint });
  }
  const docker = await dockerIfThere(context);
  if (docker === undefined) return;
  const hint =
    'ship them first: ciliumship push --no-build   (when an archive was shipped: ciliumship deploy --archive FILE)';
  requireShipped(shipped, await dockerImages(docker, names, signal), { place: 'Docker', hint });
}

/** Machines that only ship have no Docker, and nothing was built there. */
async function dockerIfThere(context: Context): Promise<DockerDaemon | undefined> {
  try {
    return await openDocker(context);
  } catch (error) {
    if (!(error instanceof ShipError) || error.kind !== 'build') throw error;
    context.output.note(`${error.message}: what ciliumship.lock says was shipped is rolled out`);
    return undefined;
  }
}

function neverShipped(archive: string): ShipError {
  return new ShipError('config', `ciliumship.lock does not say that ${archive} was shipped`, {
    hint: `ship it first: ciliumship push --archive ${archive}`,
  });
}
