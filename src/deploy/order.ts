import { ShipError } from '../core/errors.ts';
import { kubernetesName, type Node } from '../core/node.ts';
import { agentAmong, AGENT_SELECTOR, AGENT_SET, hasHash, works } from './agents.ts';
import type { Cluster, ClusterNode, Pod } from './cluster.ts';
import { isRollback, unfinishedRollout, type History } from './history.ts';
import { NODE_CONFIG_ANNOTATION } from './node-config.ts';

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
 * one does not: suspects first, who may be what ails the others, then those that are missing or not
 * ready. Among themselves they stay in the given order.
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
    if (pod !== undefined && suspects.has(pod.uid)) return 0;
    return works(pod) ? 2 : 1;
  };
  return order.toSorted((one, other) => rank(one) - rank(other));
}

/**
 * The agents that nobody proved and that came with a rollout which was not finished, or are left over
 * by a rollback that was not.
 *
 * @param history as it is before Helm changes the template
 * @returns their uids
 */
export async function suspectAgents(
  cluster: Pick<Cluster, 'pods' | 'currentHash'>,
  namespace: string,
  history: History,
): Promise<ReadonlySet<string>> {
  const open = unfinishedRollout(history);
  if (open === undefined) return new Set();
  const newest = await cluster.currentHash(namespace, AGENT_SET);
  const pods = await cluster.pods(namespace, AGENT_SELECTOR);
  const suspects = pods.filter(
    (pod) =>
      pod.annotations[NODE_CONFIG_ANNOTATION] === undefined &&
      hasHash(pod, newest ?? '') !== isRollback(open),
  );
  return new Set(suspects.map(({ uid }) => uid));
}
