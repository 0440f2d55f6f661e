import { judged, type Check } from '../core/check.ts';
import { ShipError } from '../core/errors.ts';
import { overlap } from '../core/network.ts';
import type { Node } from '../core/node.ts';
import type { K3sFacts } from '../facts/k3s.ts';
import { isOfPods } from '../facts/made-links.ts';
import { dataAddress, type NodeFacts } from '../facts/node-facts.ts';
import type { Entry, K3sSettings } from './k3s-config.ts';

/**
 * The server whose cluster all others join: one where K3s runs already, else the first of the
 * config. A server that comes back must never make a second cluster beside the one that lives.
 *
 * @throws ShipError `config` when there is no server
 */
export function founderOf(nodes: readonly Node[], states: ReadonlyMap<string, K3sFacts>): Node {
  const servers = nodes.filter(({ role }) => role === 'server');
  const runs = servers.find(({ name }) => states.get(name)?.unit === 'active');
  const founder = runs ?? servers[0];
  if (founder !== undefined) return founder;
  throw new ShipError('config', 'the config has no server node', { hint: 'add one: role: server' });
}

/**
 * How a node comes into the cluster of the founder.
 *
 * @throws ShipError `config` when nodes that join could not name the founder
 */
export function entryOf(node: Node, nodes: readonly Node[], founder: Node): Entry {
  const servers = nodes.filter(({ role }) => role === 'server');
  if (node.name === founder.name) return { as: 'first', others: servers.length > 1 };
  const server = dataAddress(founder);
  if (server !== undefined) return { as: 'joins', server };
  throw new ShipError('config', `${founder.name}: has no dataAddress, so no node can join it`, {
    hint: `set nodes.${founder.name}.dataAddress, such as 10.4.100.1/16`,
  });
}

/** Networks of pods and services that a network of a node lies in (E18), and other releases. */
export function judgeInstall(
  facts: NodeFacts,
  settings: K3sSettings,
  version: string | undefined,
): readonly Check[] {
  return [
    apart(facts, 'pods', 'k3s.clusterCidr', settings.clusterCidr),
    apart(facts, 'services', 'k3s.serviceCidr', settings.serviceCidr),
    ...release(facts, version),
  ];
}

function apart(facts: NodeFacts, what: string, key: string, cidr: string): Check {
  // What a CNI and pods have of their own networks is no network of the node.
  const own = facts.links.filter(({ name }) => !isOfPods(name));
  const hit = own.flatMap(({ name, addresses }) =>
    addresses.filter((address) => overlap(address, cidr)).map((address) => `${name} ${address}`),
  );
  return judged({
    node: facts.node,
    check: `network of ${what}`,
    wanted: `${cidr} apart from the networks of the node`,
    found: hit.length === 0 ? 'apart' : hit.join(', '),
    ok: hit.length === 0,
    remedy: `set ${key} to a network that no node is in; more: ciliumship explain E18`,
  });
}

/** Another release may not be overwritten: servers come before agents, and by one minor at most. */
function release({ node, k3s }: NodeFacts, version: string | undefined): readonly Check[] {
  if (k3s === undefined || version === undefined) return [];
  return [
    judged({
      node,
      check: 'K3s version',
      wanted: version,
      found: k3s,
      ok: k3s === version,
      remedy: `set k3s.version to ${k3s}, or remove it: ciliumship k3s uninstall --nodes ${node} --confirm ${node}`,
    }),
  ];
}
