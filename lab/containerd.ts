import { cached, hashOf } from './cache.ts';
import { MIRROR, unpackPackage } from './debian.ts';

/** The versions of containerd that nodes can have, from Debian's packages. */

export const CONTAINERD_VERSIONS = ['1.6', '1.7', '2'] as const;
export type ContainerdVersion = (typeof CONTAINERD_VERSIONS)[number];

/** Debian release of each; `undefined` is the one that the node's own Debian has. */
const SUITES: Readonly<Record<ContainerdVersion, string | undefined>> = {
  '1.6': undefined,
  '1.7': 'trixie',
  '2': 'sid',
};
export const DEFAULT_CONTAINERD: ContainerdVersion = '1.7';

/** Which of the two forms of containerd's config a version reads. */
export function configOf(version: ContainerdVersion): string {
  return version === '2' ? 'containerd-2.toml' : 'containerd.toml';
}

/**
 * Gets the programs of a version, or finds them in the cache. runc stays the node's own: newer ones
 * want a newer C library.
 *
 * @returns the folder that holds `usr/bin`; undefined when the node's Debian has the version
 */
export async function fetchContainerd(version: ContainerdVersion): Promise<string | undefined> {
  const suite = SUITES[version];
  if (suite === undefined) return undefined;
  return cached(`containerd-${version}`, hashOf([], [suite, MIRROR]), (folder) =>
    unpackPackage('containerd', suite, folder),
  );
}
