import { spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SHARED } from './settings.ts';
import { sh, succeeds, until } from './shell.ts';

const PID_FILE = join(SHARED, 'dockerd.pid');
const LOG = join(SHARED, 'dockerd.log');
const SOCKET = '/var/run/docker.sock';

/** `docker …`, returning what it printed. */
export function docker(...args: readonly string[]): Promise<string> {
  return sh('docker', args);
}

/** True when a Docker engine answers. */
export function dockerRuns(): Promise<boolean> {
  return succeeds('docker', ['info']);
}

/** Uses the Docker that runs, or starts one that `stopDocker` ends again. */
export async function ensureDocker(): Promise<string> {
  if (await dockerRuns()) return 'already running';
  const problem = whyNotStart({
    host: process.env['DOCKER_HOST'],
    root: process.getuid?.() === 0,
    denied: isDenied(SOCKET),
  });
  if (problem !== undefined) throw new Error(problem);
  return `started (${await startDocker()})`;
}

/** Why a Docker that does not answer is not started here, and what to do; undefined when it may be. */
export function whyNotStart(why: {
  readonly host: string | undefined;
  readonly root: boolean;
  readonly denied: boolean;
}): string | undefined {
  if (why.host !== undefined && why.host !== '') {
    return `no Docker answers at DOCKER_HOST=${why.host}\n  next: start it, or unset DOCKER_HOST`;
  }
  if (why.denied) {
    return 'Docker does not let you in\n  next: sudo usermod -aG docker "$USER", then log in again';
  }
  return why.root ? undefined : 'Docker is not running\n  next: sudo systemctl start docker';
}

function isDenied(socket: string): boolean {
  if (!existsSync(socket)) return false;
  try {
    accessSync(socket, constants.R_OK | constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

async function startDocker(): Promise<number> {
  mkdirSync(SHARED, { recursive: true });
  const log = openSync(LOG, 'w');
  const child = spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log] });
  child.unref();
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`dockerd ended with ${code}:\n${lastLines()}`)));
  });
  const { pid = 0 } = child;
  writeFileSync(PID_FILE, String(pid));
  try {
    await Promise.race([failed, until(`dockerd (log: ${LOG})`, 60, dockerRuns)]);
  } catch (error) {
    rmSync(PID_FILE);
    throw error;
  }
  return pid;
}

function lastLines(): string {
  return readFileSync(LOG, 'utf8').trim().split('\n').slice(-8).join('\n');
}

/**
 * Ends the dockerd that `ensureDocker` started; leaves any other alone, and its own while another
 * lab still needs it.
 */
export async function stopDocker(): Promise<string> {
  if (!existsSync(PID_FILE)) return 'Docker was running before and stays';
  const pid = Number(readFileSync(PID_FILE, 'utf8'));
  if (isDockerd(pid) && (await docker('ps', '--quiet')) !== '') {
    return 'Docker stays for the containers that run';
  }
  if (isDockerd(pid)) process.kill(pid, 'SIGTERM');
  await until('stopping dockerd', 60, async () => !isDockerd(pid));
  rmSync(PID_FILE);
  for (const parent of globSync('/sys/fs/cgroup/{docker,*/docker}')) removeEmptyCgroup(parent);
  return 'dockerd is stopped';
}

/** dockerd leaves the parent of its containers' cgroups; it goes unless another's are in it. */
function removeEmptyCgroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Not empty: it is another's.
  }
}

/** False for a pid that is another's by now, and for one that has ended and only waits. */
function isDockerd(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return /^Name:\tdockerd$/m.test(status) && !/^State:\tZ/m.test(status);
  } catch {
    return false;
  }
}
