import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

// `su` without `-` leaves them out, and dockerd, iptables and debootstrap are there.
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

/** What the lab is made of, and where it keeps things. One place for every name and address. */

export interface LabNode {
  readonly name: 'master' | 'worker';
  readonly role: 'server' | 'agent';
  /** Name of its interface on the data network, different on purpose (as on real machines). */
  readonly dataInterface: string;
  readonly dataAddress: string;
  readonly managementAddress: string;
  /** Who logs in over SSH; not root on the worker, so that sudo is exercised. */
  readonly user: string;
}

export interface LabNetwork {
  readonly name: string;
  readonly subnet: string;
  readonly prefix: number;
}

export interface LabSettings {
  /** What every container, volume and network of the lab is named after. */
  readonly prefix: string;
  /** Folder below the state folder of ciliumship. */
  readonly folder: string;
  /** Tag of the images that are built for it: labs beside each other share one Docker. */
  readonly tag: string;
  readonly networks: { readonly data: LabNetwork; readonly management: LabNetwork };
  readonly nodes: readonly LabNode[];
}

/** Second part of the first address of the first lab; others follow in steps of two. */
const FIRST = 111;
const PAIRS = 70;
const NAME = /^[a-z][a-z0-9-]{0,19}$/;

/**
 * Everything that follows from the name of a lab, so that several can stand beside each other.
 *
 * @param name short name; without one it is the default lab
 * @throws Error when the name would make no name of a container
 */
export function settingsOf(name?: string): LabSettings {
  if (name !== undefined && !NAME.test(name)) {
    throw new Error(
      `CILIUMSHIP_LAB is ${JSON.stringify(name)}\n  next: use up to 20 of a-z, 0-9 and -, first a letter`,
    );
  }
  const prefix = name === undefined ? 'ciliumship-lab' : `ciliumship-lab-${name}`;
  const octet = FIRST + 2 * (name === undefined ? 0 : pairOf(name));
  return {
    prefix,
    folder: name === undefined ? 'lab' : `lab-${name}`,
    tag: name === undefined ? 'vxlan-xdp-dev' : `vxlan-xdp-${name}`,
    networks: {
      // Docker publishes ports and routes by default through the network whose name sorts first:
      // a node must be reached when its data link is broken.
      management: { name: `${prefix}-0-management`, subnet: `10.${octet + 1}.0.0/24`, prefix: 24 },
      data: { name: `${prefix}-1-data`, subnet: `10.${octet}.0.0/16`, prefix: 16 },
    },
    nodes: nodesAt(octet),
  };
}

/** 1 to 70: the first pair of networks is the default lab's. */
function pairOf(name: string): number {
  return 1 + (createHash('sha256').update(name).digest().readUInt32BE(0) % PAIRS);
}

function nodesAt(octet: number): readonly LabNode[] {
  return [
    {
      name: 'master',
      role: 'server',
      dataInterface: 'eth0',
      dataAddress: `10.${octet}.100.1`,
      managementAddress: `10.${octet + 1}.0.11`,
      user: 'root',
    },
    {
      name: 'worker',
      role: 'agent',
      dataInterface: 'eth1',
      dataAddress: `10.${octet}.100.2`,
      managementAddress: `10.${octet + 1}.0.12`,
      user: 'admin',
    },
  ];
}

const SETTINGS = settingsOf(process.env['CILIUMSHIP_LAB'] || undefined);

export const PREFIX = SETTINGS.prefix;
export const TAG = SETTINGS.tag;
export const NETWORKS = SETTINGS.networks;
export const NODES = SETTINGS.nodes;

/** Everything that is built, by the hash of what it is built from. */
export const CACHE = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'ciliumship',
  'lab',
);

const STATES = join(
  process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'),
  'ciliumship',
);

/** Keys, ssh config, kubeconfig and the sample tree of this lab. */
export const STATE = join(STATES, SETTINGS.folder);

/** What all labs share: the dockerd that one of them started. */
export const SHARED = join(STATES, settingsOf().folder);

/** The node of a name. Throws an error that lists the names there are. */
export function nodeNamed(name: string): LabNode {
  const node = NODES.find((candidate) => candidate.name === name);
  if (node !== undefined) return node;
  const names = NODES.map((candidate) => candidate.name).join(', ');
  throw new Error(`no node is named ${name}; there are: ${names}`);
}

/** The systemd unit that runs K3s on a node. */
export function unitOf(node: LabNode): string {
  return node.role === 'server' ? 'k3s' : 'k3s-agent';
}

export function containerOf(node: LabNode): string {
  return `${PREFIX}-${node.name}`;
}

export function volumeOf(node: LabNode): string {
  return `${PREFIX}-${node.name}-rancher`;
}
