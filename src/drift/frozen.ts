import { isDeepStrictEqual } from 'node:util';
import { shortDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { ImageIdentity } from '../core/image.ts';
import type { LockedImage, ShipLock } from './lock-file.ts';

/**
 * Refuses to ship anything but what the lock says.
 *
 * @param keys of the images of the lock that must be among them; all unless given
 * @throws ShipError `integrity` naming every image that differs
 */
export function requireLocked(
  lock: ShipLock,
  images: readonly ImageIdentity[],
  keys: readonly string[] = Object.keys(lock.images),
): void {
  const known = new Map(Object.entries(lock.images));
  const differ = images.flatMap(({ key, name, config }) => {
    const locked = known.get(key)?.config;
    if (locked === config.digest) return [];
    const wanted = locked === undefined ? 'is not in it' : `is ${shortDigest(locked)} in it`;
    return [`${name} ${shortDigest(config.digest)} ${wanted}`];
  });
  const missing = keys.filter(
    (key) => known.has(key) && !images.some((image) => image.key === key),
  );
  const details = [...differ, ...missing.map((key) => `${key} is in it and would not be shipped`)];
  if (details.length === 0) return;
  throw new ShipError('integrity', 'the images are not those of ciliumship.lock', {
    details,
    hint: 'build what the lock says, or write a new lock: ciliumship push (without --frozen)',
  });
}

/** An image of this machine's Docker. */
export interface LocalBuild {
  readonly name: string;
  /** Where Docker tells it. */
  readonly config?: Digest;
  readonly diffIds: readonly Digest[];
}

/**
 * Refuses to roll out what was shipped while there is another build here: one of them is not what
 * the user thinks runs.
 *
 * @param builds what Docker has of the images; what it lacks is no other build
 * @throws ShipError `integrity` naming every image with what is known of both
 */
export function requireShipped(
  shipped: readonly LockedImage[],
  builds: readonly LocalBuild[],
): void {
  const details = shipped.flatMap((image) => {
    const build = builds.find(({ name }) => name === image.name);
    if (build === undefined || isSameBuild(image, build)) return [];
    const found = build.config === undefined ? 'other layers' : shortDigest(build.config);
    return [`${image.name}: ${found} in Docker, ${shortDigest(image.config)} was shipped`];
  });
  if (details.length === 0) return;
  throw new ShipError('integrity', 'Docker has other images than were shipped', {
    details,
    hint: 'roll out what was shipped all the same: ciliumship deploy --locked; or ship what Docker has first: ciliumship push --no-build',
  });
}

function isSameBuild({ config, layers }: LockedImage, build: LocalBuild): boolean {
  if (build.config !== undefined) return build.config === config;
  return isDeepStrictEqual(build.diffIds, layers);
}

/** What a rollout would come to. */
export interface RenderedRelease {
  readonly chart: Digest;
  readonly chartVersion: string | undefined;
  readonly manifest: Digest;
}

/**
 * Refuses to roll out anything but what the lock says.
 *
 * @throws ShipError `integrity` naming what differs; `config` when nothing was rolled out yet
 */
export function requireLockedRelease(lock: ShipLock, now: RenderedRelease): void {
  const { release } = lock;
  if (release === undefined) {
    throw new ShipError('config', 'ciliumship.lock says nothing of a release yet', {
      hint: 'roll out once without it: ciliumship deploy',
    });
  }
  const details = [
    ...(release.chart === now.chart
      ? []
      : [
          `the chart ${now.chartVersion ?? ''} is ${shortDigest(now.chart)}, in the lock ${release.chartVersion ?? ''} ${shortDigest(release.chart)}`,
        ]),
    ...(release.manifest === now.manifest
      ? []
      : [
          `chart, values and images render to ${shortDigest(now.manifest)}, in the lock ${shortDigest(release.manifest)}`,
        ]),
  ];
  if (details.length === 0) return;
  throw new ShipError('integrity', 'the release is not that of ciliumship.lock', {
    details,
    hint: 'take chart and values that the lock was made with, or write a new lock: ciliumship deploy (without --frozen)',
  });
}
