import { join } from 'node:path';
import { execa } from 'execa';
import { fetchContainerd, type ContainerdVersion } from '../../lab/containerd.ts';
import { docker } from '../../lab/docker.ts';
import { buildRoot, importRoot } from '../../lab/node-image.ts';
import { until } from './parts.ts';

/** A containerd of its own, without Kubernetes and without a lab, in a container. */
export interface OwnContainerd {
  /** What its ctr calls its version. */
  readonly version: string;
  /** Runs a script of /bin/sh beside it, with a file as its input, and returns what it printed. */
  run(script: string, inputFile?: string): Promise<string>;
  stop(): Promise<void>;
}

/** What a container needs in which containerd runs containers of its own. */
export const RIGHTS = [
  '--cap-add=ALL',
  '--cap-drop=SYS_RESOURCE',
  '--security-opt=seccomp=unconfined',
  '--security-opt=apparmor=unconfined',
  '--tmpfs=/run',
];

/** Starts the containerd of a Debian release, and waits until it answers. */
export async function startContainerd(version: ContainerdVersion): Promise<OwnContainerd> {
  const programs = await fetchContainerd(version);
  const image = await importRoot(await buildRoot());
  const bound = programs === undefined ? [] : ['-v', `${join(programs, 'usr/bin')}:/own:ro`];
  // Overlays need a file system that is none: what containerd unpacks goes to a volume.
  const mounts = [...bound, '-v', '/var/lib/containerd'];
  const path = 'PATH=/own:/usr/sbin:/usr/bin:/sbin:/bin';
  const server = ['containerd', '--log-level', 'error'];
  const id = await docker('run', '-d', '--rm', ...RIGHTS, ...mounts, '-e', path, image, ...server);
  const run = async (script: string, inputFile?: string): Promise<string> => {
    const input = inputFile === undefined ? { stdin: 'ignore' as const } : { inputFile };
    return (await execa('docker', ['exec', '-i', id, 'sh', '-c', script], input)).stdout;
  };
  await until('containerd answers', 60, () => run('ctr version').catch(() => undefined));
  return {
    version: await run('ctr --version'),
    run,
    stop: async () => void (await docker('stop', '--time', '5', id)),
  };
}
