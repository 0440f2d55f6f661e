import { ShipError } from '../../core/errors.ts';
import { contains } from '../../core/network.ts';
import type { NodeFacts } from '../../facts/node-facts.ts';
import type { CniName } from './known.ts';

/**
 * Two CNIs never share a node: pods get the network of the one whose file sorts first, and programs
 * of the other go on handling packets.
 *
 * @param wanted the CNI that is about to be installed
 * @throws ShipError `config` listing what others left, node by node
 */
export function requireNoOthers(wanted: CniName, fleet: readonly NodeFacts[]): void {
  const others = fleet.flatMap(({ node, traces }) =>
    traces.filter(({ cni }) => cni !== wanted).map(({ cni, what }) => ({ node, cni, what })),
  );
  const [first] = others;
  if (first === undefined) return;
  const nodes = [...new Set(others.map(({ node }) => node))];
  const all = fleet.map(({ node }) => node);
  const names = [...new Set(others.map(({ cni }) => cni))].join(' and ');
  throw new ShipError('config', `${nodes.join(', ')}: ${names} left things behind`, {
    details: others.map(({ node, cni, what }) => `${node}: ${cni}: ${what}`),
    hint: `K3s may stay: ciliumship cni uninstall --confirm ${all.join(' ')}; everything goes: ciliumship reset --confirm ${nodes.join(' ')}`,
  });
}

/**
 * @param found networks that the cluster gives the pods of its nodes
 * @throws ShipError `config` when they are not of the network of the config
 */
export function requirePodNetwork(
  podNetwork: string,
  found: readonly { readonly name: string; readonly podCidrs?: readonly string[] }[],
): void {
  const wrong = found.flatMap(({ name, podCidrs = [] }) =>
    podCidrs
      .filter((cidr) => cidr.includes('.') && !contains(podNetwork, cidr))
      .map((cidr) => `${name}: ${cidr}`),
  );
  if (wrong.length === 0) return;
  throw new ShipError(
    'config',
    `k3s.clusterCidr is ${podNetwork}, but the cluster gives out others`,
    {
      details: wrong,
      hint: 'set k3s.clusterCidr in the config to what K3s was installed with (--cluster-cidr)',
    },
  );
}
