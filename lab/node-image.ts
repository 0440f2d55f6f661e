import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cached, filesBelow, hashOf } from './cache.ts';
import { configOf, type ContainerdVersion } from './containerd.ts';
import { debootstrap, MIRROR, SUITE, unpackPackage } from './debian.ts';
import { docker } from './docker.ts';
import { pauseArchive } from './pause-archive.ts';
import { CACHE } from './settings.ts';
import { sh, succeeds } from './shell.ts';

/** The image of a node: Debian with systemd, sshd and containerd, and what the lab's k3s runs. */

const NODE_FILES = join(import.meta.dirname, 'node');

/** What stands for the k3s of a release and its installer; they are no part of the image. */
export const K3S = join(NODE_FILES, 'k3s');
export const INSTALLER = join(NODE_FILES, 'install.sh');
const INSTALLED: ReadonlySet<string> = new Set([K3S, INSTALLER]);

const PACKAGES =
  'systemd,systemd-sysv,dbus,openssh-server,sudo,containerd,runc,iproute2,iptables,ethtool,bpftool,zstd,procps,kmod,util-linux,iputils-ping,iputils-arping,containernetworking-plugins,etcd-server,openssl,curl';

/** The root file system without anything of ours, packed. */
export function buildRoot(): Promise<string> {
  return cached('root', hashOf([], [SUITE, PACKAGES]), async (folder) => {
    const root = join(folder, 'root');
    await debootstrap(PACKAGES, root);
    await sh('chroot', [root, 'useradd', '-m', '-s', '/bin/bash', 'admin']);
    rmSync(join(root, 'var/cache/apt/archives'), { recursive: true, force: true });
    rmSync(join(root, 'var/lib/apt/lists'), { recursive: true, force: true });
    for (const key of ['ed25519', 'ecdsa', 'rsa']) {
      for (const end of ['', '.pub'])
        rmSync(join(root, `etc/ssh/ssh_host_${key}_key${end}`), { force: true });
    }
    await sh('tar', ['-C', root, '--numeric-owner', '-cf', join(folder, 'root.tar'), '.']);
    rmSync(root, { recursive: true });
  });
}

/** bookworm's own does not see TCX links; this one does, with the same C library. */
const BPFTOOL_SUITE = 'bookworm-backports';

/** A bpftool that sees everything a kernel of today has; the folder that holds `usr/sbin`. */
export function fetchBpftool(): Promise<string> {
  return cached('bpftool', hashOf([], [BPFTOOL_SUITE, MIRROR]), (folder) =>
    unpackPackage('bpftool', BPFTOOL_SUITE, folder),
  );
}

export interface NodeParts {
  readonly root: string;
  readonly bpftool: string;
  readonly kubernetes: string;
  readonly crictl: string;
  readonly pause: string;
  /** Folder of its programs; undefined when the root has the version already. */
  readonly containerd: string | undefined;
  readonly version: ContainerdVersion;
}

/** Label of a node's image: its version of containerd. */
export const CONTAINERD_LABEL = 'ciliumship.lab.containerd';

/** Name of the node image, made by `docker import` unless Docker has it already. */
export async function buildNodeImage(parts: NodeParts): Promise<string> {
  const hash = hashOf(
    [...filesBelow(NODE_FILES).filter((file) => !INSTALLED.has(file)), import.meta.filename],
    Object.values(parts).map(String),
  );
  const image = `ciliumship-lab/node:${hash}`;
  if (await succeeds('docker', ['image', 'inspect', image])) return image;
  const base = await importRoot(parts.root);
  const context = mkdtempSync(join(CACHE, 'node-'));
  try {
    await layOut(join(context, 'files'), parts);
    const label = `LABEL ${CONTAINERD_LABEL}=${parts.version}`;
    const dockerfile = `FROM ${base}\nCOPY files /\nENV container=docker\n${label}\n`;
    writeFileSync(join(context, 'Dockerfile'), dockerfile);
    await docker('build', '--quiet', '--tag', image, context);
    return image;
  } finally {
    rmSync(context, { recursive: true });
  }
}

export async function importRoot(folder: string): Promise<string> {
  const name = `ciliumship-lab/root:${folder.split('-').at(-1)}`;
  if (await succeeds('docker', ['image', 'inspect', name])) return name;
  await docker('import', join(folder, 'root.tar'), name);
  return name;
}

/** The files of ours, laid out as they lie on the node. */
async function layOut(folder: string, parts: NodeParts): Promise<void> {
  const units = join(folder, 'etc/systemd/system');
  const library = join(folder, 'usr/local/lib/k3s');
  const share = join(folder, 'usr/local/share/k3s');
  for (const path of [
    units,
    library,
    share,
    join(folder, 'etc/sudoers.d'),
    join(folder, 'etc/ssh/sshd_config.d'),
  ]) {
    mkdirSync(path, { recursive: true });
  }
  cpSync(parts.kubernetes, library, { recursive: true });
  cpSync(join(parts.crictl, 'crictl'), join(library, 'crictl'));
  writeFileSync(join(share, 'pause.tar'), await pauseArchive(join(parts.pause, 'pause')));
  cpSync(join(parts.bpftool, 'usr/sbin'), join(folder, 'usr/sbin'), { recursive: true });
  if (parts.containerd !== undefined) {
    cpSync(join(parts.containerd, 'usr/bin'), join(folder, 'usr/bin'), { recursive: true });
  }
  cpSync(join(NODE_FILES, configOf(parts.version)), join(share, 'containerd.toml'));
  for (const name of ['kubelet.yaml', 'bootstrap.yaml', 'audit-policy.yaml']) {
    cpSync(join(NODE_FILES, name), join(share, name));
  }
  // Made when the node first starts: machines of one image have ids of their own.
  writeFileSync(join(folder, 'etc/machine-id'), '');
  // What a container neither has nor needs.
  for (const name of [
    'systemd-udevd',
    'systemd-logind',
    'getty@',
    'console-getty',
    'containerd',
    'etcd',
  ]) {
    symlinkSync('/dev/null', join(units, `${name}.service`));
  }
  cpSync(join(NODE_FILES, 'entry.sh'), join(folder, 'entry.sh'));
  chmodSync(join(folder, 'entry.sh'), 0o755);
  writeFileSync(join(folder, 'etc/sudoers.d/admin'), 'admin ALL=(ALL) NOPASSWD: ALL\n', {
    mode: 0o440,
  });
  writeFileSync(
    join(folder, 'etc/ssh/sshd_config.d/lab.conf'),
    'PasswordAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 100\nUseDNS no\nAllowUsers root admin\n' +
      'HostKey /etc/ssh/lab_host_key\nAuthorizedKeysFile /etc/ssh/lab_authorized_keys\n',
  );
}
