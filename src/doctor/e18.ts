import { overlap } from '../core/network.ts';
import { isOfPods } from '../facts/made-links.ts';
import { found, ok, onNodes, unknown, type Problem } from './problem.ts';
import { setAndDeploy } from './settings.ts';

const POOL = 'ipam.operator.clusterPoolIPv4PodCIDRList';

export const e18: Problem = {
  id: 'E18',
  title: 'the network of the pods holds the network of the nodes',
  patterns: [/overlap/i, /\/8\b.*(route|mask)/i],
  document:
    'A /8 on the data interface routes all pods’ traffic out of the card. Set a /16 with `ip addr flush` and `ip addr add`.',
  known:
    'The mask is not the cause: Cilium’s route to each node’s pods is longer than a /8 and wins. The cause is the chart’s default pool 10.0.0.0/8, which holds the nodes’ own addresses. The document’s fix breaks the link: with /16 on one side 10.4.100.1 and 10.2.100.1 are no longer neighbours, and the flush cuts K3s off its server. Choose a pool outside of the nodes’ networks, such as 172.16.0.0/16, when Cilium is installed; of a pool in use entries may be added, never changed.',
  recognised: 'a pool of cilium-config overlaps the network of an address of the node',
  example: setAndDeploy(POOL, '[172.16.0.0/16]'),
  look: onNodes(({ machine }, { cluster, value }) => {
    const text = cluster?.config?.['cluster-pool-ipv4-cidr'] ?? value?.(POOL) ?? '';
    const pools = text.split(/[\s,]+/).filter((pool) => pool !== '');
    if (pools.length === 0) return unknown('the network of the pods is not known');
    const near = machine.links
      .filter(({ name }) => !isOfPods(name))
      .flatMap(({ name, addresses }) => addresses.map((address) => [name, address] as const))
      .filter(([, address]) => address.includes('.'));
    const bad = pools.flatMap((pool) =>
      near
        .filter(([, address]) => overlap(pool, address))
        .map(([name, address]) => `${pool} and ${address} of ${name}`),
    );
    if (bad.length > 0) return found(bad.join(', '), setAndDeploy(POOL, 'a network of its own'));
    return ok(`${pools.join(', ')} touches no address`);
  }),
};
