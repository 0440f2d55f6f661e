import { isIPv4 } from 'node:net';
import { contains } from '../core/network.ts';
import { hasNativeXdp } from '../facts/drivers.ts';
import type { Link } from '../facts/links.ts';
import { isMade } from '../facts/made-links.ts';
import type { Machine } from './machine.ts';

/** An interface that may carry the data network of a node, with its address on it. */
export interface DataLink {
  readonly link: Link;
  /** Address with prefix length. */
  readonly address: string;
  /** Undefined where nobody knows the driver. */
  readonly nativeXdp: boolean | undefined;
}

/** Kinds of interfaces that lead out of a machine; hardware has none, and containers have veth. */
const OUTWARD = new Set([undefined, 'veth', 'vlan', 'bond', 'macvlan', 'ipvlan']);

/**
 * One data link for each machine, so that all of them are on one network: the address that K3s uses
 * comes first, then what does not carry our SSH session, then what takes native XDP programs.
 *
 * @returns machine → its link; machines that share no network with the first are left out
 */
export function chooseLinks(machines: readonly Machine[]): ReadonlyMap<string, DataLink> {
  const [first, ...others] = machines;
  if (first === undefined) return new Map();
  const choices = dataLinks(first).map((own) => {
    const found = others.map((machine) => [machine.name, neighbour(own, machine)] as const);
    const linked = found.flatMap(([name, link]) =>
      link === undefined ? [] : [[name, link] as const],
    );
    return new Map([[first.name, own] as const, ...linked]);
  });
  // Sorting is stable: of those that reach as many machines, the first is the best.
  return choices.toSorted((a, b) => b.size - a.size)[0] ?? new Map();
}

/** The best link of a machine on the network of another's; two never have the same address. */
function neighbour(own: DataLink, machine: Machine): DataLink | undefined {
  return dataLinks(machine).find(
    ({ address }) =>
      plain(address) !== plain(own.address) &&
      contains(own.address, address) &&
      contains(address, own.address),
  );
}

/** Every link that may carry data, the best first. */
export function dataLinks(machine: Machine): readonly DataLink[] {
  const { facts } = machine;
  const found = facts.links
    .filter(({ name, kind, up, carrier }) => up && carrier && OUTWARD.has(kind) && !isMade(name))
    .flatMap((link) =>
      link.addresses.filter(isUsable).map((address) => ({
        link,
        address,
        nativeXdp: nativeXdp(machine, link.name),
      })),
    );
  return found.toSorted((a, b) => penalty(machine, a) - penalty(machine, b));
}

function isUsable(address: string): boolean {
  return isIPv4(plain(address)) && !address.startsWith('169.254.') && !address.endsWith('/32');
}

function nativeXdp({ facts }: Machine, name: string): boolean | undefined {
  const driver = facts.drivers.get(name);
  return driver === undefined ? undefined : hasNativeXdp(driver, facts.os.kernel);
}

function penalty(
  { facts, setup }: Machine,
  { link, address, nativeXdp: native }: DataLink,
): number {
  const isNodeIp = setup.nodeIp === plain(address);
  const carriesSsh = facts.sshInterface === link.name;
  return (isNodeIp ? 0 : 4) + (carriesSsh ? 2 : 0) + (native === true ? 0 : 1);
}

/** An address without its prefix length. */
export function plain(address: string): string {
  return address.split('/')[0] ?? address;
}
