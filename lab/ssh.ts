import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODES, STATE, type LabNode } from './settings.ts';
import { sh } from './shell.ts';

/** Keys, known_hosts and an ssh config of the lab's own; yours are never touched. */

const KEYS = join(STATE, 'ssh');

export const SSH_CONFIG = join(STATE, 'ssh_config');
const KNOWN_HOSTS = join(STATE, 'known_hosts');
const USER_KEY = join(KEYS, 'id_ed25519');

/** Makes the user's key and one host key for each node, once. */
export async function ensureKeys(): Promise<void> {
  mkdirSync(KEYS, { recursive: true, mode: 0o700 });
  for (const file of [USER_KEY, ...NODES.map(hostKey)]) {
    if (existsSync(file)) continue;
    await sh('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ciliumship-lab', '-f', file]);
    chmodSync(file, 0o600);
  }
}

/** Path of the private host key of a node; `.pub` lies beside it. */
export function hostKey(node: LabNode): string {
  return join(KEYS, `host_${node.name}`);
}

/** Path of the public key that every node lets in. */
export function userPublicKeyFile(): string {
  return `${USER_KEY}.pub`;
}

/** Writes known_hosts and the ssh config for the ports that the nodes are reached through. */
export function writeSshFiles(ports: ReadonlyMap<string, number>): void {
  const keys = new Map(
    NODES.map((node) => [node.name, readFileSync(`${hostKey(node)}.pub`, 'utf8')]),
  );
  writeFileSync(KNOWN_HOSTS, knownHostsText(ports, keys), { mode: 0o600 });
  writeFileSync(SSH_CONFIG, sshConfigText(ports), { mode: 0o600 });
}

/** One line for each node: `[127.0.0.1]:PORT TYPE KEY`. */
export function knownHostsText(
  ports: ReadonlyMap<string, number>,
  keys: ReadonlyMap<string, string>,
): string {
  const lines = NODES.map((node) => {
    const [type, key] = (keys.get(node.name) ?? '').split(' ');
    return `[127.0.0.1]:${ports.get(node.name)} ${type} ${key}\n`;
  });
  return lines.join('');
}

/** An ssh config that knows the nodes and nothing of yours. */
export function sshConfigText(ports: ReadonlyMap<string, number>): string {
  const hosts = NODES.map((node) =>
    [
      `Host ${node.name}`,
      '  HostName 127.0.0.1',
      `  Port ${ports.get(node.name)}`,
      `  User ${node.user}`,
      `  IdentityFile ${USER_KEY}`,
      '  IdentitiesOnly yes',
      '  IdentityAgent none',
      `  UserKnownHostsFile ${KNOWN_HOSTS}`,
      '  GlobalKnownHostsFile /dev/null',
      '  StrictHostKeyChecking yes',
    ].join('\n'),
  );
  return `${hosts.join('\n\n')}\n`;
}

/** Port that an ssh config of `sshConfigText` has for a node; undefined when it has none. */
export function portInConfig(config: string, name: string): number | undefined {
  const host = config.split('\n\n').find((part) => part.startsWith(`Host ${name}\n`));
  const port = /^ {2}Port (\d+)$/m.exec(host ?? '')?.[1];
  return port === undefined ? undefined : Number(port);
}
