import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { BuiltTree } from '../../build/inputs.ts';
import type { Config } from '../../config/normalise.ts';
import type { ImageIdentity, ShipImage } from '../../core/image.ts';
import { requireLocked, requireLockedRelease } from '../../drift/frozen.ts';
import { lockText, MAX_LOCK, parseLock, tooLarge, type ShipLock } from '../../drift/lock-file.ts';
import { manifestDigest } from '../../drift/record.ts';
import { ShipError } from '../../core/errors.ts';
import { readIfThere, replaceFile } from '../../system/replace-file.ts';
import type { Context } from '../command.ts';
import { option } from '../flags.ts';
import type { ClusterAccess } from './cluster.ts';
import type { Deployed, ReleaseLock } from './deploy-images.ts';
import { chartDigest, readRelease, recordRelease } from './live-release.ts';
import type { ShippedNode } from './shipped-node.ts';
import { readChartVersion } from './values.ts';

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
  const found = await stat(lockPath(config)).catch(() => undefined);
  if (found !== undefined && found.size > MAX_LOCK) throw tooLarge(lockPath(config), found.size);
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

/**
 * With `--frozen`: throws ShipError `integrity` unless the images are those of the lock.
 *
 * @param keys of the images that must be among them; all of the lock unless given
 */
export async function requireFrozen(
  { config, flags }: Context<FrozenFlag>,
  images: readonly ImageIdentity[],
  keys?: readonly string[],
): Promise<void> {
  if (flags.frozen === true) requireLocked(await needLock(config), images, keys);
}

/**
 * With `--frozen`: throws ShipError `integrity` unless the chart renders to what the lock says. That
 * holds for chart, values and images alike, and not for Secrets that are made anew.
 */
export async function requireFrozenRelease(
  { config, flags }: Context<FrozenFlag>,
  rendered: string,
): Promise<void> {
  if (flags.frozen !== true) return;
  const chart = await chartDigest(config.deploy.chart);
  const chartVersion = await readChartVersion(config.deploy.chart);
  const manifest = manifestDigest(rendered);
  requireLockedRelease(await needLock(config), { chart, chartVersion, manifest });
}

/**
 * Writes what was shipped and proved on every node of the run; a dry run writes nothing.
 *
 * @param tree what the images were built from; undefined when this run built none
 */
export async function lockImages(
  { config, flags }: Context<FrozenFlag>,
  images: readonly ShipImage[],
  shipped: readonly ShippedNode[],
  tree: BuiltTree | undefined,
): Promise<void> {
  const isProved = shipped.every(({ state }) => state === 'shipped' || state === 'nothing to do');
  if (!isProved || flags.frozen === true || flags.dryRun === true) return;
  const before = (await readLock(config)) ?? EMPTY;
  const entries = Object.fromEntries(images.map((image) => [image.key, locked(image)]));
  const same = isDeepStrictEqual(entries, before.images);
  // Images that were built elsewhere come from where the lock says only if they are those of it.
  const source = tree === undefined ? (same ? before.source : undefined) : sourceOf(tree);
  const proved = new Set([...(same ? before.nodes : []), ...shipped.map(({ node }) => node)]);
  await write(config, {
    version: 1,
    ...(source === undefined ? {} : { source }),
    images: entries,
    nodes: config.nodes.map(({ name }) => name).filter((name) => proved.has(name)),
    ...(before.release === undefined ? {} : { release: before.release }),
  });
}

/** The lock beside the config, as a deploy goes by it. */
export const releaseLock: ReleaseLock = { requireSame: requireSameLock, write: lockRelease };

/** A run that waited for another one may have read the lock of before. */
async function requireSameLock(
  { config, flags }: Context<FrozenFlag>,
  images: readonly ImageIdentity[],
): Promise<void> {
  if (flags.dryRun === true) return;
  const now = await readLock(config);
  const other = images.filter(({ key, name, config: { digest } }) => {
    const shipped = now?.images[key];
    return shipped?.name === name && shipped.config !== digest;
  });
  if (other.length === 0) return;
  throw new ShipError('locked', 'another run shipped other images meanwhile', {
    details: other.map(({ name }) => name),
    hint: 'look at what is shipped now (git diff ciliumship.lock), then: ciliumship deploy',
  });
}

/** Writes down, here and into the cluster, what the release is after a rollout that ended well. */
async function lockRelease(
  context: Context<FrozenFlag>,
  access: ClusterAccess,
  { state }: Deployed,
): Promise<void> {
  if (state === 'planned') return;
  const { deploy } = context.config;
  const live = await readRelease(context, access);
  if (live === undefined) return;
  const chart = await chartDigest(deploy.chart);
  const chartVersion = (await readChartVersion(deploy.chart)) ?? '';
  const release = { ...live.release, chart, chartVersion };
  await recordRelease(context, access, { ...live, release });
  await writeRelease(context, release, state);
}

async function writeRelease(
  { config, flags }: Context<FrozenFlag>,
  release: NonNullable<ShipLock['release']>,
  state: Deployed['state'],
): Promise<void> {
  const lock = flags.frozen === true ? undefined : await readLock(config);
  if (lock === undefined) return;
  // What Helm made anew of the same values is no news for whoever reads the lock.
  const { release: was } = lock;
  const { revision: _, ...now } = release;
  const unchanged = was !== undefined && isDeepStrictEqual({ ...was, ...now }, was);
  if (!unchanged || state !== 'nothing to do') await write(config, { ...lock, release });
}

function sourceOf({ commit, version, inputs, changed }: BuiltTree): ShipLock['source'] {
  return { commit, version, inputs, changed: [...changed].toSorted() };
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
