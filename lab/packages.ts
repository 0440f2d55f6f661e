import { existsSync } from 'node:fs';
import { sh, succeeds } from './shell.ts';

/** Debian packages that the lab needs on this machine, by the program that shows they are there. */
const NEEDED: Readonly<Record<string, string>> = {
  '/usr/sbin/debootstrap': 'debootstrap',
  '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring',
  '/usr/bin/ssh': 'openssh-client',
  '/usr/bin/ssh-keygen': 'openssh-client',
  '/usr/bin/zstd': 'zstd',
  '/usr/sbin/iptables': 'iptables',
  '/usr/bin/git': 'git',
};

/**
 * What only the tests need: an sshd of their own on 127.0.0.1, a browser to look at receipts, a C
 * compiler for flanneld, and a terminal to draw in. Installed in CI and never on a machine of somebody: the first would start an
 * sshd for everybody, the others are large.
 */
const NEEDED_BY_TESTS: Readonly<Record<string, string>> = {
  '/usr/sbin/sshd': 'openssh-server',
  '/usr/bin/chromium': 'chromium',
  '/usr/bin/gcc': 'gcc',
  '/usr/include/stdio.h': 'libc6-dev',
  '/usr/bin/tmux': 'tmux',
};

/** Installs what is missing, or says how to. Throws an error with the exact command. */
export async function ensurePackages(): Promise<string> {
  if (process.platform !== 'linux') throw new Error(`the lab needs Linux, not ${process.platform}`);
  const names = await missing();
  if (names.length === 0) return 'nothing to install';
  const rights = { root: process.getuid?.() === 0, apt: existsSync('/usr/bin/apt-get') };
  if (!rights.root || !rights.apt) throw new Error(missingText(names, rights));
  await sh('apt-get', ['update', '-q']);
  const quiet = ['-y', '-q', '--no-install-recommends'];
  await sh('env', ['DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', ...quiet, ...names]);
  return `installed ${names.join(' ')}`;
}

async function missing(): Promise<readonly string[]> {
  const needed = process.env['CI'] ? { ...NEEDED, ...NEEDED_BY_TESTS } : NEEDED;
  const absent = Object.entries(needed).filter(([file]) => !existsSync(file));
  const names = absent.map(([, name]) => name);
  if (!(await hasDocker())) names.push('docker.io');
  return [...new Set(names)];
}

/** What is missing, and the command that installs it where that can be known. */
export function missingText(
  names: readonly string[],
  { root, apt }: { readonly root: boolean; readonly apt: boolean },
): string {
  const install = `apt-get update && ${root ? '' : 'sudo '}apt-get install -y ${names.join(' ')}`;
  const next = apt
    ? `${root ? '' : 'sudo '}${install}`
    : 'install them with the package manager of this machine (names are those of Debian)';
  return `missing: ${names.join(', ')}\n  next: ${next}`;
}

/** A client is enough where a Docker runs already; otherwise the engine is needed too. */
async function hasDocker(): Promise<boolean> {
  if (await succeeds('docker', ['info'])) return true;
  return existsSync('/usr/bin/dockerd') || existsSync('/usr/sbin/dockerd');
}
