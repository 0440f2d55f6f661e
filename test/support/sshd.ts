import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { makeKey } from './ssh-files.ts';
import { until } from './parts.ts';

export const SSHD = '/usr/sbin/sshd';

/** What a client must know of an sshd on 127.0.0.1. */
export interface Reachable {
  readonly port: number;
  /** Who may log in. */
  readonly user: string;
  /** Path of its authorized_keys. */
  readonly authorizedKeys: string;
  /** Public keys of the host, `type base64`, in the order of `keyTypes`. */
  readonly hostKeys: readonly string[];
}

/** An sshd of this machine, run by whoever runs the tests. */
export interface OwnSshd extends Reachable {
  readonly pid: number;
  /** What it logged so far. */
  log(): string;
  /** Kills every process that serves a connection; sshd itself stays. */
  cut(): void;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Key types of `ssh-keygen -t`; ed25519 when absent. */
  readonly keyTypes?: readonly string[];
  /** Lines of sshd_config, before ours: the first one counts. */
  readonly settings?: readonly string[];
  /** Command of its SFTP server. */
  readonly sftp?: string;
}

/**
 * Starts an sshd whose files lie in `folder`; keys are accepted as its `authorized_keys` says.
 *
 * @param folder a new folder for each sshd, absolute: sshd starts itself anew from its path
 */
export async function startSshd(folder: string, options: SshdOptions = {}): Promise<OwnSshd> {
  mkdirSync(folder, { recursive: true });
  const types = options.keyTypes ?? ['ed25519'];
  const keys = types.map((type) => makeKey(join(folder, `host_${type}`), type));
  const port = await freePort();
  const config = join(folder, 'sshd_config');
  writeFileSync(config, configOf(folder, port, types, options));
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const logFile = join(folder, 'sshd.log');
  const log = openSync(logFile, 'a');
  const child = spawn(SSHD, ['-f', config, '-D', '-e'], { stdio: ['ignore', log, log] });
  const pid = child.pid ?? 0;
  const read = (): string => readFileSync(logFile, 'utf8');
  await until(`sshd in ${folder} listens`, 20, () => /Server listening on/.test(read()));
  return {
    pid,
    port,
    user: userInfo().username,
    authorizedKeys: join(folder, 'authorized_keys'),
    hostKeys: keys,
    log: read,
    cut: () => endBelow(pid),
    stop: async () => {
      endBelow(pid);
      child.kill();
      await until('sshd has ended', 20, () => child.exitCode !== null || child.signalCode !== null);
    },
  };
}

function configOf(
  folder: string,
  port: number,
  types: readonly string[],
  { settings = [], sftp = 'internal-sftp' }: SshdOptions,
): string {
  return `${[
    ...settings,
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    ...types.map((type) => `HostKey ${folder}/host_${type}`),
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'LogLevel VERBOSE',
    // The shell reads no profile of whoever runs the tests.
    `SetEnv HOME=${folder}`,
    'MaxStartups 100',
    `Subsystem sftp ${sftp}`,
  ].join('\n')}\n`;
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Kills all descendants of a process, the highest first: whoever serves the connection must not have
 * the time to say that its command was killed.
 */
function endBelow(pid: number): void {
  for (const child of below(pid)) {
    try {
      process.kill(child, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
}

function below(pid: number): readonly number[] {
  const children = childrenOf(pid);
  return [...children, ...children.flatMap(below)];
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

function parentOf(pid: string): number {
  try {
    return Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}
