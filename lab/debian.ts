import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sh } from './shell.ts';

/** Only bookworm's systemd still boots where the machine has cgroup v1. */
export const SUITE = 'bookworm';

export const MIRROR = 'http://deb.debian.org/debian';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks a small Debian into a folder.
 *
 * @param packages separated by commas
 * @throws Error with the command to run when this process is not root
 */
export async function debootstrap(packages: string, root: string): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      'only root can make the Debian of the lab\n  next: sudo env "PATH=$PATH" npm run lab -- up',
    );
  }
  await sh('debootstrap', ['--variant=minbase', `--include=${packages}`, SUITE, root]);
}

/**
 * Unpacks the files of one package into a folder; nothing is installed on this machine. apt checks
 * Debian's signature over the list of packages, and with it the package.
 *
 * @throws Error when the suite has no such package
 */
export async function unpackPackage(name: string, suite: string, folder: string): Promise<void> {
  const apt = join(folder, 'apt');
  const options = scratchApt(apt, suite);
  await sh('apt-get', [...options, 'update', '-q']);
  await sh('env', ['-C', apt, 'apt-get', ...options, 'download', '-q', name]);
  const deb = readdirSync(apt).find((file) => file.endsWith('.deb'));
  if (deb === undefined) throw new Error(`apt got no ${name} of ${suite}`);
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
