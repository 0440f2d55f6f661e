import { BlockList, isIPv4 } from 'node:net';

/** True when two networks share an address. A prefix length may follow an address of the network. */
export function overlap(a: string, b: string): boolean {
  return contains(a, b) || contains(b, a);
}

/** True when the network of `cidr` holds the address of `other`. */
export function contains(cidr: string, other: string): boolean {
  const [network = '', prefix = ''] = cidr.split('/');
  const [address = ''] = other.split('/');
  const family = isIPv4(network) ? 'ipv4' : 'ipv6';
  if (isIPv4(address) !== (family === 'ipv4')) return false;
  const block = new BlockList();
  block.addSubnet(network, Number(prefix), family);
  return block.check(address, family);
}
