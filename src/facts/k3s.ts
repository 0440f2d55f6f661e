import type { Role } from '../core/node.ts';
import type { Argv, Remote } from '../core/remote.ts';

export const K3S_BINARY = '/usr/local/bin/k3s';
export const K3S_CONFIG = '/etc/rancher/k3s/config.yaml';
/** Where the token of a node that joins lies; K3s's uninstall script removes it. */
export const K3S_TOKEN = '/etc/rancher/k3s/token';
/** The token as a server shows it to those that join. */
export const NODE_TOKEN = '/var/lib/rancher/k3s/server/node-token';

/** The config.yaml of before, from when a change begins until K3s is back with the new one. */
export const K3S_CONFIG_BEFORE = `${K3S_CONFIG}.before`;
/** What K3s makes when it starts for the first time. */
const STARTED = '/var/lib/rancher/k3s/agent';

/** First line of a config.yaml that ciliumship wrote. */
export const OUR_MARK = '# Written by ciliumship k3s install; run it again to change this.';

/** How far K3s is on a node. */
export interface K3sFacts {
  /** sha256 of its program, 64 hex digits; undefined when there is none. */
  readonly binary: string | undefined;
  /** `none`, `ours`, or somebody else's. */
  readonly config: 'none' | 'ours' | 'foreign';
  /** Text of a config.yaml of ours; never read when it is somebody else's, who may keep a token in it. */
  readonly text: string | undefined;
  /** Whether a change of its config.yaml was begun and K3s did not come back with it yet. */
  readonly changing: boolean;
  /** Whether it ever started here. */
  readonly started: boolean;
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
  const ask = (...argv: Argv) => remote.run(argv, { sudo: true, signal, accept: [1, 2, 3, 4] });
  const [sums, head, unit, there] = await Promise.all([
    ask('sha256sum', K3S_BINARY),
    ask('head', '-n', '1', K3S_CONFIG),
    ask('systemctl', 'is-active', unitOf(role)),
    ask('ls', '-d', K3S_CONFIG, K3S_CONFIG_BEFORE, STARTED),
  ]);
  const paths = new Set(there.stdout.split('\n'));
  const config = paths.has(K3S_CONFIG) ? whose(head.stdout) : 'none';
  return {
    binary: sums.code === 0 ? sums.stdout.slice(0, 64) : undefined,
    config,
    text: config === 'ours' ? (await ask('cat', K3S_CONFIG)).stdout : undefined,
    changing: paths.has(K3S_CONFIG_BEFORE),
    started: paths.has(STARTED),
    unit: unit.stdout.trim() || 'unknown',
  };
}

function whose(firstLine: string): 'ours' | 'foreign' {
  return firstLine.trim() === OUR_MARK ? 'ours' : 'foreign';
}
