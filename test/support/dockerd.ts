import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { until } from './parts.ts';

/** A second dockerd of this machine, to be killed and stopped without harm to the first. */
export interface OwnDockerd {
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** SIGKILL; resolves when nothing of it is left, its socket's connections among it. */
  kill(): Promise<void>;
  /** Connections to its socket that are open now. */
  connections(): number;
  /** Starts it again on the same data after a kill. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts dockerd with folders and a socket of its own; its builds have no network. */
export async function startOwnDockerd(): Promise<OwnDockerd> {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-dockerd-'));
  const env = { DOCKER_HOST: `unix://${folder}/docker.sock` };
  let child = await launch(folder, env);
  return {
    env,
    get pid() {
      return child.pid ?? 0;
    },
    signal: (name) => void child.kill(name),
    kill: async () => {
      child.kill('SIGKILL');
      await until('dockerd has ended', 30, () => hasEnded(child));
    },
    connections: () => connectionsTo(child.pid ?? 0, join(folder, 'docker.sock')),
    restart: async () => {
      await endChild(folder);
      rmSync(join(folder, 'docker.pid'), { force: true });
      child = await launch(folder, env);
    },
    stop: async () => {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await until('dockerd has ended', 30, () => hasEnded(child));
      await endChild(folder);
      await unmountBelow(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The last of its threads is gone; /proc calls a process a zombie as soon as the first is. */
function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function launch(
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const config = join(folder, 'daemon.json');
  writeFileSync(config, '{}');
  const log = openSync(join(folder, 'dockerd.log'), 'a');
  const paths = [
    ['--data-root', 'data'],
    ['--exec-root', 'exec'],
    ['--pidfile', 'docker.pid'],
  ].map(([flag, name]) => `${flag}=${join(folder, name ?? '')}`);
  const args = [
    `--config-file=${config}`,
    `--host=${env['DOCKER_HOST']}`,
    ...paths,
    '--bridge=none',
    '--iptables=false',
    '--ip-masq=false',
  ];
  // A network of its own: with --bridge=none dockerd removes the bridge of any other on the machine.
  const child = spawn('unshare', ['--net', 'dockerd', ...args], {
    stdio: ['ignore', log, log],
    detached: true,
  });
  child.unref();
  child.on('error', () => undefined);
  await until(`dockerd in ${folder} answers`, 60, async () => {
    if (hasEnded(child)) throw new Error(`dockerd ended:\n${lastLog(folder)}`);
    const { exitCode } = await execa('docker', ['info'], { env, reject: false });
    return exitCode === 0;
  });
  return child;
}

function lastLog(folder: string): string {
  return readFileSync(join(folder, 'dockerd.log'), 'utf8').split('\n').slice(-8).join('\n');
}

/**
 * A killed dockerd takes its containerd with it or leaves it behind; without the pid file the next
 * one does not wait for a zombie that has that pid.
 */
async function endChild(folder: string): Promise<void> {
  for (const name of ['exec/containerd/containerd.pid', 'exec/containerd/docker-containerd.pid']) {
    const file = join(folder, name);
    const pid = readPid(file);
    if (pid === undefined) continue;
    if (commandOf(pid).includes(folder)) endQuietly(pid, 'SIGTERM');
    await until('containerd has ended', 30, () => !commandOf(pid).includes(folder));
    rmSync(file);
  }
}

function readPid(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

/** Empty for one that has ended: its pid may be another's by now. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function unmountBelow(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.toReversed()) await execa('umount', ['-l', path], { reject: false });
}

/** /proc lists a socket's path once for its listener and once for each accepted connection. */
function connectionsTo(pid: number, path: string): number {
  const lines = readFileSync(`/proc/${pid}/net/unix`, 'utf8').split('\n');
  return lines.filter((line) => line.endsWith(` ${path}`)).length - 1;
}

/** A zombie has ended: it only waits for its parent. */
function alive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function endQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Pids of this machine whose command line holds `text`; RUN steps of local daemons are among them. */
export async function processesWith(text: string): Promise<readonly number[]> {
  const { stdout } = await execa('pgrep', ['-f', '--', text], { reject: false });
  return stdout
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && alive(pid));
}
