import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceTree } from '../../build/tree.ts';
import type { Config } from '../../config/normalise.ts';
import { digestOf, type Digest } from '../../core/digest.ts';
import type { ShipImage } from '../../core/image.ts';
import { requireLocked } from '../../drift/frozen.ts';
import { lockText, parseLock, type ShipLock } from '../../drift/lock-file.ts';
import { ShipError } from '../../core/errors.ts';
import { readIfThere, replaceFile } from '../../system/replace-file.ts';
import type { Context } from '../command.ts';
import { option } from '../flags.ts';
import { helmOn, releaseOf, type ClusterAccess } from './cluster.ts';
import type { Deployed } from './deploy-images.ts';
import type { ShippedNode } from './ship-images.ts';

export const frozenOption = option(
  '--frozen',
  'refuse anything but what ciliumship.lock says, and leave it as it is',
);

export interface FrozenFlag {
  readonly frozen?: boolean;
}

const EMPTY: ShipLock = { version: 1, images: {}, nodes: [] };

/** Path of the lock file: beside the config. */
export function lockPath({ folder }: Config): string {
  return join(folder, 'ciliumship.lock');
}

/**
 * Reads the lock file.
 *
 * @returns undefined when there is none
 * @throws ShipError `config` or `integrity` when it is broken
 */
export async function readLock(config: Config): Promise<ShipLock | undefined> {
  const text = await readIfThere(lockPath(config));
  return text === undefined ? undefined : parseLock(text, lockPath(config));
}

/** As `readLock`. @throws ShipError `config` when there is none */
export async function needLock(config: Config): Promise<ShipLock> {
  const lock = await readLock(config);
  if (lock !== undefined) return lock;
  throw new ShipError('config', `there is no ${lockPath(config)}`, {
    hint: 'write it: ciliumship push (or ship)',
  });
}

/** With `--frozen`: throws ShipError `integrity` unless the images are those of the lock. */
export async function requireFrozen(
  { config, flags }: Context<FrozenFlag>,
  images: readonly ShipImage[],
): Promise<void> {
  if (flags.frozen === true) requireLocked(await needLock(config), images);
}

/** Writes what was shipped and proved on every node of the run; a dry run writes nothing. */
export async function lockImages(
  { config, flags }: Context<FrozenFlag>,
  images: readonly ShipImage[],
  shipped: readonly ShippedNode[],
  tree: SourceTree | undefined,
): Promise<void> {
  const isProved = shipped.every(({ state }) => state === 'shipped' || state === 'nothing to do');
  if (!isProved || flags.frozen === true || flags.dryRun === true) return;
  const { release, source } = (await readLock(config)) ?? EMPTY;
  const from = tree === undefined ? source : sourceOf(tree);
  await write(config, {
    version: 1,
    ...(from === undefined ? {} : { source: from }),
    images: Object.fromEntries(images.map((image) => [image.key, locked(image)])),
    nodes: shipped.map(({ node }) => node),
    ...(release === undefined ? {} : { release }),
  });
}

/** Writes what the release is after a rollout that ended well. */
export async function lockRelease(
  context: Context<FrozenFlag>,
  access: ClusterAccess,
  { state }: Deployed,
): Promise<void> {
  const { config, flags } = context;
  if (flags.frozen === true || state === 'planned') return;
  const lock = await readLock(config);
  // What runs without having been locked was shipped by an older version, or by hand.
  if (lock === undefined || (state === 'nothing to do' && lock.release !== undefined)) return;
  const live = await readRelease(context, access);
  if (live !== undefined) await write(config, { ...lock, release: live.release });
}

/** The live release as the lock takes it, with its manifest; undefined before a first install. */
export async function readRelease(
  context: Context,
  access: ClusterAccess,
): Promise<
  { readonly release: NonNullable<ShipLock['release']>; readonly manifest: string } | undefined
> {
  const helm = await helmOn(context, access);
  const release = releaseOf(context);
  const [status, manifest = '', values] = await Promise.all([
    helm.status(release),
    helm.manifest(release),
    helm.values(release),
  ]);
  if (status === undefined) return undefined;
  const now = {
    revision: status.revision,
    chart: await chartDigest(context.config.deploy.chart),
    values: digestOf(JSON.stringify(values)),
    manifest: digestOf(manifest),
  };
  return { release: now, manifest };
}

/** One digest over every file of a chart's folder, by name. */
async function chartDigest(folder: string): Promise<Digest> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).toSorted();
  const lines = paths.map(
    async (path) => `${path.slice(folder.length)} ${digestOf(await readFile(path))}`,
  );
  return digestOf((await Promise.all(lines)).join('\n'));
}

function sourceOf({ commit, version, changed }: SourceTree): ShipLock['source'] {
  return { commit, version, changed: [...changed].toSorted() };
}

function locked({ name, digestName, config, manifest, layers }: ShipImage) {
  return {
    name,
    digestName,
    config: config.digest,
    manifest: manifest.digest,
    layers: layers.map(({ digest }) => digest),
  };
}

/** Unchanged, the file is not touched. */
async function write(config: Config, lock: ShipLock): Promise<void> {
  const path = lockPath(config);
  const text = lockText(lock);
  if ((await readIfThere(path)) !== text) await replaceFile(path, text);
}
