import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchContainerd, configOf, type ContainerdVersion } from '../../lab/containerd.ts';
import { docker } from '../../lab/docker.ts';
import { buildRoot, importRoot } from '../../lab/node-image.ts';
import { buildProgram } from '../../lab/programs.ts';
import { succeeds } from '../../lab/shell.ts';
import { until } from './parts.ts';
import { makeKey } from './ssh-files.ts';
import type { Reachable } from './sshd.ts';
import { RIGHTS } from './containerd.ts';

/**
 * A node that can be shipped to and nothing else: sshd, sudo, and the containerd of K3s with its
 * CRI, on a file system that a test may choose. No Kubernetes, so it is there within seconds.
 */
export interface StoreNode extends Reachable {
  /** Address of its own network, past the ports that Docker publishes. */
  readonly address: string;
  /** Its first process, as this machine numbers it. */
  readonly pid: number;
  /** Runs a script as root, past SSH, and returns what it printed. */
  run(script: string): Promise<string>;
  /** Waits until containerd answers, as after it was killed. */
  answers(): Promise<void>;
  /** Everything that an import of ours could leave, a line for each; the lock among it. */
  leftovers(): Promise<string>;
  stop(): Promise<void>;
}

export interface StoreNodeOptions {
  readonly version?: ContainerdVersion;
  /** A folder of this machine that becomes its `/var/lib/rancher`; a volume when absent. */
  readonly data?: string;
  /** Who logs in over SSH; `admin` has sudo without a password. */
  readonly user?: 'root' | 'admin';
}

const NODE_FILES = join(import.meta.dirname, '../../lab/node');
/** Where the launcher lies; a test may put something else in front of it, at /usr/local/bin/k3s. */
export const K3S = '/opt/k3s';
const OURS = '/var/lib/rancher/k3s/ciliumship';

/** K3s starts its containerd again whenever it ends; so does the first process here. */
const START = `ln -s ${K3S} /usr/local/bin/k3s; mkdir -p /run/sshd /run/k3s/containerd /var/lib/rancher/k3s/agent/containerd /etc/cni/net.d
echo 'admin ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/admin; chmod 0440 /etc/sudoers.d/admin
chown -R root /keys
/usr/sbin/sshd -E /run/sshd.log -o UsePAM=yes -o StrictModes=no -o PermitRootLogin=yes \\
  -o MaxStartups=100 -o HostKey=/keys/host -o AuthorizedKeysFile=/keys/authorized_keys
while :; do containerd --log-level error --config /etc/k3s-containerd.toml >> /run/containerd.log 2>&1; sleep 0.1; done`;

let count = 0;

/** @param folder a new one, for its keys */
export async function startStoreNode(
  folder: string,
  { version = '1.7', data, user = 'root' }: StoreNodeOptions = {},
): Promise<StoreNode> {
  mkdirSync(folder, { recursive: true });
  const hostKey = makeKey(join(folder, 'host'));
  writeFileSync(join(folder, 'authorized_keys'), '');
  const name = `ciliumship-store-${process.pid}-${(count += 1)}`;
  await docker(
    ...['run', '-d', '--rm', '--name', name, ...RIGHTS, ...(await mountsOf(version))],
    ...['-v', `${folder}:/keys`, '-v', data === undefined ? DATA : `${data}:${DATA}`],
    ...['-p', '127.0.0.1::22', await importRoot(await buildRoot()), 'sh', '-c', START],
  );
  const run = (script: string): Promise<string> => docker('exec', name, 'sh', '-c', script);
  const answers = (): Promise<void> =>
    until('containerd answers', 60, () =>
      succeeds('docker', ['exec', name, 'sh', '-c', READY]),
    ).then(() => undefined);
  await answers();
  const [port = ''] = (await docker('port', name, '22/tcp')).split('\n');
  const inspect = (format: string): Promise<string> =>
    docker('inspect', `--format=${format}`, name);
  return {
    port: Number(port.replace(/^.*:/, '')),
    address: await inspect('{{.NetworkSettings.IPAddress}}'),
    pid: Number(await inspect('{{.State.Pid}}')),
    ...{ user, authorizedKeys: join(folder, 'authorized_keys'), hostKeys: [hostKey] },
    ...{ run, answers, leftovers: () => run(LEFTOVERS) },
    stop: async () => void (await docker('rm', '--force', '--volumes', name)),
  };
}

const DATA = '/var/lib/rancher';
/** The CRI comes up after the rest. */
const READY = 'k3s ctr version && k3s crictl images';
const LEFTOVERS = `ls -A ${OURS} 2>/dev/null
k3s ctr images ls -q | grep ciliumship.local
k3s ctr content active | grep tar-
true`;

async function mountsOf(version: ContainerdVersion): Promise<readonly string[]> {
  const programs = await fetchContainerd(version);
  const crictl = await buildProgram('crictl', () => undefined);
  const files = [
    [join(NODE_FILES, 'k3s'), K3S],
    [join(NODE_FILES, configOf(version)), '/etc/k3s-containerd.toml'],
    [join(crictl, 'crictl'), '/usr/local/lib/k3s/crictl'],
    // First on the PATH of the k3s script and of sudo.
    ...(programs === undefined ? [] : [[join(programs, 'usr/bin'), '/usr/local/sbin']]),
  ];
  return files.flatMap(([from, to]) => ['-v', `${from}:${to}:ro`]);
}

/** Throws when this machine cannot have such a node. */
export async function requireStoreNode(): Promise<void> {
  await docker('info');
  readFileSync('/usr/bin/ssh-keygen');
}
