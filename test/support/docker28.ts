import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached, hashOf } from '../../lab/cache.ts';
import { run, until } from './parts.ts';

/** A newer Docker with buildx, in a container of its own on the machine's Docker. */
export interface Docker28 {
  /** DOCKER_HOST and DOCKER_CONFIG for programs and for `connectDocker`. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const PACKAGES = [
  'docker.io',
  'docker-buildx',
  'containerd',
  'runc',
  'iptables',
  'iproute2',
  'ca-certificates',
  'mount',
].join(',');

/** What a container needs before a Docker can run in it without --privileged. */
const ENTRY = `#!/bin/sh
set -eu
grep -E ' cgroup2? ' /proc/mounts | while read -r _ dir _; do mount -o remount,rw,bind "$dir"; done
mount -o remount,rw /proc/sys
mount -o remount,rw /sys
mount --make-rshared /
mkdir -p /run/containerd
containerd >/var/log/containerd.log 2>&1 &
exec dockerd -H unix:///socket/docker.sock --containerd /run/containerd/containerd.sock
`;

const CAPABILITIES = [
  '--cap-add=ALL',
  '--cap-drop=SYS_RESOURCE',
  '--security-opt=seccomp=unconfined',
  '--security-opt=apparmor=unconfined',
  '--cgroupns=private',
];

/**
 * Starts Docker 28 from Debian sid (first time: two minutes, later: seconds). It has no network.
 *
 * @param store `containerd` is the default of Docker 29
 */
export async function startDocker28(store: 'containerd' | 'classic'): Promise<Docker28> {
  const image = await ensureImage();
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-docker28-'));
  const features = { features: { 'containerd-snapshotter': store === 'containerd' } };
  writeFileSync(join(folder, 'daemon.json'), JSON.stringify(features));
  writeFileSync(join(folder, 'entry.sh'), ENTRY);
  mkdirSync(join(folder, 'socket'));
  const name = `ciliumship-docker28-${process.pid}-${Date.now().toString(36)}`;
  await run([
    'docker',
    'run',
    '-d',
    '--name',
    name,
    ...CAPABILITIES,
    ...mounts(folder),
    image,
    '/bin/sh',
    '/entry.sh',
  ]);
  const env = {
    DOCKER_HOST: `unix://${folder}/socket/docker.sock`,
    DOCKER_CONFIG: await buildxConfig(),
  };
  await until(`${name} answers`, 60, () => answers(env));
  return {
    env,
    stop: async () => {
      await run(['docker', 'rm', '-fv', name]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A folder for DOCKER_CONFIG whose docker command line knows buildx, on any Docker. */
export async function buildxConfig(): Promise<string> {
  return cached('test-buildx', hashOf([], [PACKAGES]), async (folder) => {
    const container = await run(['docker', 'create', await ensureImage(), 'true']);
    const plugins = join(folder, 'cli-plugins');
    mkdirSync(plugins);
    await run([
      'docker',
      'cp',
      `${container}:/usr/libexec/docker/cli-plugins/docker-buildx`,
      plugins,
    ]);
    await run(['docker', 'rm', container]);
  });
}

function mounts(folder: string): readonly string[] {
  return [
    '--network=none',
    '--tmpfs=/run',
    '--tmpfs=/tmp:exec',
    '--volume=/var/lib/docker',
    '--volume=/var/lib/containerd',
    `--volume=${folder}/socket:/socket`,
    `--volume=${folder}/entry.sh:/entry.sh:ro`,
    `--volume=${folder}/daemon.json:/etc/docker/daemon.json:ro`,
  ];
}

async function answers(env: Readonly<Record<string, string>>): Promise<boolean> {
  const { exitCode } = await execa('docker', ['info'], { env, reject: false });
  return exitCode === 0;
}

/** The image stays in Docker; its root file system is cached as a tar for another one. */
async function ensureImage(): Promise<string> {
  const hash = hashOf([], [PACKAGES]);
  const name = `ciliumship-test/docker28:${hash}`;
  const { exitCode } = await execa('docker', ['image', 'inspect', name], { reject: false });
  if (exitCode === 0) return name;
  const folder = await cached('test-docker28', hash, makeRoot);
  await execa('docker', ['import', join(folder, 'root.tar'), name]);
  return name;
}

async function makeRoot(folder: string): Promise<void> {
  const root = join(folder, 'root');
  await run(['debootstrap', '--variant=minbase', `--include=${PACKAGES}`, 'sid', root]);
  for (const waste of ['var/cache/apt/archives', 'var/lib/apt/lists', 'usr/share/doc']) {
    rmSync(join(root, waste), { recursive: true, force: true });
  }
  await run(['tar', '-C', root, '-cf', join(folder, 'root.tar'), '.']);
  rmSync(root, { recursive: true, force: true });
}
