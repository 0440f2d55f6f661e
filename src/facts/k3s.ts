import type { Role } from '../core/node.ts';
import type { Remote } from '../core/remote.ts';

export const K3S_BINARY = '/usr/local/bin/k3s';
export const K3S_CONFIG = '/etc/rancher/k3s/config.yaml';
/** Where the token of a node that joins lies; K3s's uninstall script removes it. */
export const K3S_TOKEN = '/etc/rancher/k3s/token';
/** The token as a server shows it to those that join. */
export const NODE_TOKEN = '/var/lib/rancher/k3s/server/node-token';

/** First line of a config.yaml that ciliumship wrote. */
export const OUR_MARK = '# Written by ciliumship k3s install; run it again to change this.';

/** How far K3s is on a node. */
export interface K3sFacts {
  /** sha256 of its program, 64 hex digits; undefined when there is none. */
  readonly binary: string | undefined;
  /** `none`, `ours`, or somebody else's. */
  readonly config: 'none' | 'ours' | 'foreign';
  /** sha256 of its config.yaml. */
  readonly configHash: string | undefined;
  /** What systemd says of the unit of the role: `active`, `inactive`, `failed`, … */
  readonly unit: string;
}

/** The systemd unit that runs K3s in a role. */
export function unitOf(role: Role): string {
  return role === 'server' ? 'k3s' : 'k3s-agent';
}

/**
 * Looks how far K3s is on a node. Changes nothing.
 *
 * @throws ShipError `network`, `identity`
 */
export async function readK3s(remote: Remote, role: Role, signal: AbortSignal): Promise<K3sFacts> {
  const options = { sudo: true, signal, accept: [1, 2, 3, 4] };
  const [sums, head, unit] = await Promise.all([
    remote.run(['sha256sum', K3S_BINARY, K3S_CONFIG], options),
    remote.run(['head', '-n', '1', K3S_CONFIG], options),
    remote.run(['systemctl', 'is-active', unitOf(role)], options),
  ]);
  const configHash = sumOf(sums.stdout, K3S_CONFIG);
  return {
    binary: sumOf(sums.stdout, K3S_BINARY),
    config: configHash === undefined ? 'none' : whose(head.stdout),
    configHash,
    unit: unit.stdout.trim() || 'unknown',
  };
}

function whose(firstLine: string): 'ours' | 'foreign' {
  return firstLine.trim() === OUR_MARK ? 'ours' : 'foreign';
}

/** The sum of a file among the lines of `sha256sum`. */
function sumOf(text: string, file: string): string | undefined {
  const line = text.split('\n').find((row) => row.endsWith(`  ${file}`));
  return line?.slice(0, 64);
}
