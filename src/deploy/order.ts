import { ShipError } from '../core/errors.ts';
import { kubernetesName, type Node } from '../core/node.ts';
import { agentAmong, works } from './agents.ts';
import type { ClusterNode, Pod } from './cluster.ts';

/**
 * The nodes that get agents, in the order of the rollout: the canary first, which is an agent node
 * unless one is named, because a server node takes the API with it.
 *
 * @param canary key of the config or Kubernetes name
 * @throws ShipError `config` when the canary is none of the nodes
 */
export function rolloutOrder(
  candidates: readonly ClusterNode[],
  nodes: readonly Node[],
  canary: string | undefined,
): readonly string[] {
  const names = candidates.map(({ name }) => name);
  const first = canary === undefined ? defaultCanary(names, nodes) : named(canary, names, nodes);
  return [...new Set(first === undefined ? names : [first, ...names])];
}

function defaultCanary(names: readonly string[], nodes: readonly Node[]): string | undefined {
  const agents = new Set(nodes.filter(({ role }) => role === 'agent').map(kubernetesName));
  return names.find((name) => agents.has(name)) ?? names[0];
}

function named(canary: string, names: readonly string[], nodes: readonly Node[]): string {
  const node = nodes.find(({ name }) => name === canary);
  const wanted = node === undefined ? canary : kubernetesName(node);
  if (names.includes(wanted)) return wanted;
  throw new ShipError('config', `canary ${canary}: no agent would run there`, {
    hint: `choose one of: ${names.join(', ')}, by deploy.canary or --canary NODE`,
  });
}

/**
 * The order in which agents are replaced now, so that no agent that works is taken away while another
 * one does not: suspects first, who may be what ails the others, and then the rest; of both, those that
 * are missing or not ready come before those that work. Else they stay in the given order.
 *
 * @param suspects uids of agents, as suspectAgents finds them
 */
export function neediestFirst(
  order: readonly string[],
  pods: readonly Pod[],
  suspects: ReadonlySet<string>,
): readonly string[] {
  const rank = (node: string): number => {
    const pod = agentAmong(pods, node);
    const group = pod !== undefined && suspects.has(pod.uid) ? 0 : 2;
    return works(pod) ? group + 1 : group;
  };
  return order.toSorted((one, other) => rank(one) - rank(other));
}
