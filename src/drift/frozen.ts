import { shortDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { ImageIdentity } from '../core/image.ts';
import type { ShipLock } from './lock-file.ts';

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

/**
 * Refuses to roll out what was shipped while there is another build here: one of them is not what
 * the user thinks runs.
 *
 * @param shipped as the lock has them
 * @param here config digests of what lies in Docker or an archive, by name
 * @param place that holds them, for the message
 * @param hint the command that ships it
 * @throws ShipError `integrity` naming every image with both digests
 */
export function requireShipped(
  shipped: readonly ImageIdentity[],
  here: ReadonlyMap<string, Digest>,
  { place, hint }: { readonly place: string; readonly hint: string },
): void {
  const details = shipped.flatMap(({ name, config }) => {
    const found = here.get(name);
    if (found === undefined || found === config.digest) return [];
    return [
      `${name}: ${shortDigest(found)} in ${place}, ${shortDigest(config.digest)} was shipped`,
    ];
  });
  if (details.length === 0) return;
  throw new ShipError('integrity', `${place} has other images than were shipped`, {
    details,
    hint,
  });
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
