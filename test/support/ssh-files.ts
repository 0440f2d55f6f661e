import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from '../../src/system/process.ts';
import type { SshOptions } from '../../src/system/ssh/connect.ts';
import { openSession, type Session } from '../../src/system/ssh/session.ts';
import type { Reachable } from './sshd.ts';

/** Makes a key pair without passphrase. @returns its public half, `type base64` */
export function makeKey(file: string, type = 'ed25519', passphrase = ''): string {
  rmSync(file, { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', '', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').trim();
}

/** What a person who uses ssh has: a key, known_hosts and a config, in a folder of its own. */
export interface SshFiles {
  readonly folder: string;
  /** Path of the config, for `ssh -F`. */
  readonly config: string;
  readonly knownHosts: string;
  /** Path of the private key that hosts are reached with. */
  readonly key: string;
  /** Appends a `Host` block that reaches an sshd, trusts its keys unless told otherwise. */
  addHost(alias: string, sshd: Reachable, more?: HostOptions): void;
  /** Replaces known_hosts. */
  know(...lines: readonly string[]): void;
  /** Logs in to an alias through our own client. */
  open(alias: string, options?: Partial<SshOptions>): Promise<Session>;
  remove(): void;
}

export interface HostOptions {
  readonly lines?: readonly string[];
  readonly unknown?: boolean;
  /** The key file to log in with, instead of the common one. */
  readonly key?: string;
  /** Another port that leads to the sshd. */
  readonly port?: number;
}

export function makeSshFiles(): SshFiles {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-ssh-'));
  const [config, knownHosts, key] = ['ssh_config', 'known_hosts', 'id'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const own = makeKey(key);
  const blocks: string[] = [];
  const known: string[] = [];
  const write = (): void => {
    writeFileSync(config, `${blocks.join('\n\n')}\n`);
    writeFileSync(knownHosts, known.map((line) => `${line}\n`).join(''));
  };
  write();
  return {
    folder,
    config,
    knownHosts,
    key,
    addHost: (alias, sshd, more = {}) => {
      authorize(sshd, own);
      blocks.push(hostBlock(alias, sshd, knownHosts, { key, ...more }));
      if (more.unknown !== true) known.push(...knownLines(sshd, more.port));
      write();
    },
    know: (...lines) => {
      known.splice(0, known.length, ...lines);
      write();
    },
    open: (alias, options = {}) =>
      openSession(
        alias,
        alias,
        { sshConfig: config, hostKeys: 'strict', runLocal: runProcess, ...options },
        AbortSignal.timeout(60_000),
      ),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The lines of known_hosts for an sshd: `[127.0.0.1]:port type base64`. */
export function knownLines(sshd: Reachable, port: number = sshd.port): readonly string[] {
  return sshd.hostKeys.map((key) => `[127.0.0.1]:${port} ${key}`);
}

function authorize(sshd: Reachable, key: string): void {
  writeFileSync(sshd.authorizedKeys, `${key}\n`, { flag: 'a' });
}

function hostBlock(
  alias: string,
  sshd: Reachable,
  knownHosts: string,
  { lines = [], key, port = sshd.port }: HostOptions,
): string {
  return [
    `Host ${alias}`,
    ...lines,
    'HostName 127.0.0.1',
    `Port ${port}`,
    `User ${sshd.user}`,
    `IdentityFile ${key}`,
    'IdentityAgent none',
    `UserKnownHostsFile ${knownHosts}`,
    'GlobalKnownHostsFile /dev/null',
  ].join('\n  ');
}
