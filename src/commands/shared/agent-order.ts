import {
  agentAmong,
  AGENT_SELECTOR,
  describePod,
  isCurrent,
  works,
  type AgentTarget,
} from '../../deploy/agents.ts';
import type { Cluster, Pod } from '../../deploy/cluster.ts';
import { neediestFirst } from '../../deploy/order.ts';
import type { Context } from '../command.ts';

/** Agents that are about to be replaced. */
interface Turns {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** Kubernetes names of the nodes, the first of them the canary. */
  readonly order: readonly string[];
  readonly suspects: ReadonlySet<string>;
  readonly targetOf: (node: string) => AgentTarget;
  /** Nobody chose the first of `order`, so nothing is said when another comes first. */
  readonly quiet?: boolean;
}

/** The order in which agents are replaced, by how they are now; says why the canary is not the first. */
export async function agentOrder(
  { output }: Context,
  { cluster, namespace, order, suspects, targetOf, quiet }: Turns,
): Promise<readonly string[]> {
  const pods = await cluster.pods(namespace, AGENT_SELECTOR);
  const now = neediestFirst(order, pods, suspects);
  const [first, canary] = [now[0], order[0]];
  if (first === undefined || canary === undefined || first === canary || quiet === true) return now;
  const waiting = agentAmong(pods, canary);
  if (waiting === undefined || isCurrent(waiting, targetOf(canary))) return now;
  output.note(`${first} comes before the canary ${canary}: ${reason(agentAmong(pods, first))}`);
  return now;
}

/** Of those that work, only suspects come before the canary. */
function reason(pod: Pod | undefined): string {
  return works(pod)
    ? `an unfinished rollout left ${pod.name} there, which nobody proved`
    : `its agent does not work (${describePod(pod)}), and none that works is taken away meanwhile`;
}
