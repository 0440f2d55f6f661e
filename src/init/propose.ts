import { ShipError } from '../core/errors.ts';
import type { Platform } from '../core/image.ts';
import { overlap } from '../core/network.ts';
import type { Node, Role } from '../core/node.ts';
import { isMade } from '../facts/made-links.ts';
import { chooseLinks, type DataLink } from './choose-links.ts';
import type { Machine } from './machine.ts';

/** A node as the config will describe it, and what that rests on. */
export interface ProposedNode extends Node {
  readonly machine: Machine;
  /** Undefined when it shares no network with the first node. */
  readonly data: DataLink | undefined;
}

/** What a config can say that is known from the machines. */
export interface Proposal {
  readonly nodes: readonly ProposedNode[];
  readonly platform: Platform;
  readonly podCidr: string;
  readonly serviceCidr: string;
}

/** Networks that pods are given, in the order in which they are tried; the first is K3s's own. */
const POD_CIDRS = ['10.42.0.0/16', '10.244.0.0/16', '172.20.0.0/16', '192.168.128.0/17'] as const;
const SERVICE_CIDR = '10.43.0.0/16';

/**
 * Makes a proposal of what the machines say. Servers come first, and the first of them is the one
 * whose address agents are told.
 *
 * @throws ShipError `usage` for machines of several platforms, without a server, or when every pod
 * network that is tried overlaps a network of theirs
 */
export function propose(machines: readonly Machine[], podCidr: string | undefined): Proposal {
  const named = withRoles(machines).toSorted((a, b) => rank(a.role) - rank(b.role));
  const links = chooseLinks(named.map(({ machine }) => machine));
  return {
    nodes: withProfiles(named.map(({ machine, role }) => node(machine, role, links))),
    platform: platformOf(machines),
    podCidr: podCidr ?? freePodCidr(machines),
    serviceCidr: machines.flatMap(({ setup }) => setup.serviceCidr ?? [])[0] ?? SERVICE_CIDR,
  };
}

interface WithRole {
  readonly machine: Machine;
  readonly role: Role;
}

/** Before K3s is installed anywhere the first node that was named is the server. */
function withRoles(machines: readonly Machine[]): readonly WithRole[] {
  const roles = machines.map(({ role, setup }) => role ?? setup.role);
  const server = roles.includes('server');
  const found = machines.map((machine, index): WithRole => {
    const fresh = !server && index === roles.indexOf(undefined);
    return { machine, role: roles[index] ?? (fresh ? 'server' : 'agent') };
  });
  if (found.some(({ role }) => role === 'server')) return found;
  throw new ShipError('usage', `all of ${names(machines)} are agents of K3s; none is its server`, {
    hint: 'name the server too: ciliumship init --node SERVER',
  });
}

function rank(role: Role): number {
  return role === 'server' ? 0 : 1;
}

function node(machine: Machine, role: Role, links: ReadonlyMap<string, DataLink>): ProposedNode {
  const { name, ssh, setup } = machine;
  const data = links.get(name);
  return {
    name,
    ssh,
    role,
    nodeName: setup.nodeName === name ? undefined : setup.nodeName,
    dataInterface: data?.link.name,
    dataAddress: data?.address,
    devices: data === undefined ? [] : [data.link.name],
    machine,
    data,
  };
}

/** Nodes with different devices are told apart by a label; those with the same share one. */
function withProfiles(nodes: readonly ProposedNode[]): readonly ProposedNode[] {
  const lists = new Set(nodes.map(({ devices }) => devices.join()));
  if (lists.size <= 1) return nodes;
  return nodes.map((each) => {
    const first = nodes.find(({ devices }) => devices.join() === each.devices.join()) ?? each;
    return each.devices.length === 0 ? each : { ...each, profile: `${first.name}-layout` };
  });
}

/** Images are built for one platform. */
function platformOf(machines: readonly Machine[]): Platform {
  const platforms = new Set(machines.map(({ setup }) => setup.platform));
  const [platform, ...others] = platforms;
  if (platform !== undefined && others.length === 0) return platform;
  const each = machines.map(({ name, setup }) => `${name} ${setup.platform ?? 'of another kind'}`);
  throw new ShipError('usage', `one platform in a run, and these are several: ${each.join(', ')}`, {
    hint: 'name nodes of one platform: linux/amd64 or linux/arm64',
  });
}

/** What K3s was told, or a network that holds no address of any machine. */
function freePodCidr(machines: readonly Machine[]): string {
  const told = machines.flatMap(({ setup }) => setup.clusterCidr ?? [])[0];
  if (told !== undefined) return told;
  const taken = machines.flatMap(({ facts }) =>
    facts.links.filter(({ name }) => !isMade(name)).flatMap(({ addresses }) => addresses),
  );
  const free = POD_CIDRS.find((cidr) => !taken.some((address) => overlap(address, cidr)));
  if (free !== undefined) return free;
  throw new ShipError('usage', `no network for pods: ${POD_CIDRS.join(', ')} are all in use`, {
    hint: 'name one that no machine uses: --pod-cidr CIDR',
  });
}

function names(machines: readonly Machine[]): string {
  return machines.map(({ name }) => name).join(', ');
}
