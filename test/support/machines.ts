import type { Link } from '../../src/facts/links.ts';
import type { Machine } from '../../src/init/machine.ts';
import { machineFacts } from './machine-facts.ts';

/** An interface of hardware that is up, with some of it changed. */
export function link(name: string, address: string, change: Partial<Link> = {}): Link {
  return {
    name,
    mtu: 1500,
    up: true,
    carrier: true,
    kind: undefined,
    queues: 4,
    addresses: [address],
    parent: undefined,
    master: undefined,
    xdp: undefined,
    ...change,
  };
}

/** A machine with K3s's agent on it, with some of it changed. */
export function machine(
  name: string,
  links: readonly Link[],
  change: Partial<Omit<Machine, 'facts' | 'setup'>> & {
    readonly facts?: Partial<Machine['facts']>;
    readonly setup?: Partial<Machine['setup']>;
  } = {},
): Machine {
  const drivers = new Map(links.map((each) => [each.name, 'i40e']));
  return {
    name,
    ssh: change.ssh ?? name,
    role: change.role,
    facts: machineFacts({ node: name, links, drivers, sshInterface: 'em1', ...change.facts }),
    setup: {
      nodeName: name,
      role: 'agent',
      platform: 'linux/amd64',
      nodeIp: undefined,
      clusterCidr: undefined,
      serviceCidr: undefined,
      ...change.setup,
    },
  };
}
