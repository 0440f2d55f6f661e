import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, hashOf } from './cache.ts';
import { sh } from './shell.ts';

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

const MIRROR = 'http://deb.debian.org/debian';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

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
    unpack(suite, folder),
  );
}

/** apt checks Debian's signature over the list of packages, and with it the package. */
async function unpack(suite: string, folder: string): Promise<void> {
  const apt = join(folder, 'apt');
  const options = scratchApt(apt, suite);
  await sh('apt-get', [...options, 'update', '-q']);
  await sh('env', ['-C', apt, 'apt-get', ...options, 'download', '-q', 'containerd']);
  const deb = readdirSync(apt).find((name) => name.endsWith('.deb'));
  if (deb === undefined) throw new Error(`apt got no containerd of ${suite}`);
  await sh('dpkg-deb', ['--extract', join(apt, deb), folder]);
  rmSync(apt, { recursive: true });
}

/** An apt that knows of one release and of nothing on this machine but its proxy. */
function scratchApt(apt: string, suite: string): readonly string[] {
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'etc']) {
    mkdirSync(join(apt, part), { recursive: true });
  }
  const list = join(apt, 'etc', 'sources.list');
  const status = join(apt, 'status');
  writeFileSync(list, `deb [signed-by=${KEYRING}] ${MIRROR} ${suite} main\n`);
  writeFileSync(status, '');
  return [
    `Dir::Etc::sourcelist=${list}`,
    'Dir::Etc::sourceparts=-',
    'Dir::Etc::preferencesparts=-',
    `Dir::State=${join(apt, 'state')}`,
    `Dir::State::status=${status}`,
    `Dir::Cache=${join(apt, 'cache')}`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
  ].flatMap((option) => ['-o', option]);
}
