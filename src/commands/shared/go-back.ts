import { runsAsNamed, type NodeStore } from '../../facts/node-store.ts';
import { agentAmong, AGENT_CONTAINER, AGENT_SET } from '../../deploy/agents.ts';
import type { Cluster, Helm, Pod, ReleaseName } from '../../deploy/cluster.ts';
import { ShipError } from '../../core/errors.ts';
import { shortDigest } from '../../core/digest.ts';
import { kubernetesName } from '../../core/node.ts';
import type { WayBack } from '../../deploy/history.ts';
import { sameTemplate, workloadsOf } from '../../deploy/manifest.ts';
import { nodeConfigHash } from '../../deploy/node-config.ts';
import { suspectAgents } from '../../deploy/suspects.ts';
import { replaceAgentStep } from '../../deploy/replace-agent.ts';
import { runStage } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import { agentOrder } from './agent-order.ts';
import { heldBack, helmBack } from './hold-order.ts';
import { newestHash, settleWorkloads } from './roll-out.ts';
import { timeoutOf } from './timeout.ts';
import { readToldNodes, type ToldNodes } from './told-nodes.ts';
import { acting } from './stages.ts';

/** A release that goes back, and what is known of the nodes that it runs on. */
export interface Return {
  readonly cluster: Cluster;
  readonly helm: Helm;
  readonly release: ReleaseName;
  readonly way: WayBack;
  /** Kubernetes names of the nodes, in the order in which their agents go back, as far as all work. */
  readonly order: readonly string[];
  readonly stores: ReadonlyMap<string, NodeStore>;
  /** What nodes would be told, in a dry run that does not tell them. */
  readonly planned?: ToldNodes | undefined;
  /** As it was before the rollout that is undone. */
  readonly before?: Beforehand | undefined;
}

/** Agents and what their nodes were told, before a rollout touched any of them. */
export interface Beforehand extends ToldNodes {
  readonly agents: readonly Pod[];
}

/**
 * Goes back to an earlier revision, one node at a time: agents that are of that template already are
 * left alone, every other one is replaced and must run the bytes that its node has under the name of
 * that revision. Where the DaemonSet of a revision would replace agents as it likes, the same is applied
 * with the order left to us before it.
 *
 * @throws ShipError `deploy`, `network`
 */
export async function goBack(context: Context, to: Return): Promise<void> {
  const { cluster, helm, release, way } = to;
  const { namespace } = release;
  const manifest = (await helm.manifest(release, way.revision)) ?? '';
  const held = await heldBack(context, to, manifest);
  const suspects = await suspectAgents(to, release, await helm.history(release));
  await held.apply();
  await replaceAgents(context, to, suspects, held.ours);
  if (!held.last) await helmBack(context, to, way.revision);
  await settleWorkloads(context, { cluster, namespace, workloads: workloadsOf(manifest) });
}

async function replaceAgents(
  context: Context,
  to: Return,
  suspects: ReadonlySet<string>,
  inOurOrder: boolean,
): Promise<void> {
  const { cluster, helm, release, stores, way } = to;
  const { namespace } = release;
  const stays = async (): Promise<boolean> => {
    const live = (await helm.manifest(release)) ?? '';
    return sameTemplate(AGENT_SET, live, (await helm.manifest(release, way.revision)) ?? '');
  };
  const hash = await newestHash(context, { cluster, namespace }, stays);
  const told = to.planned ?? (await readToldNodes(cluster, namespace));
  const timeout = timeoutOf(context);
  const { soak } = context.config.deploy;
  const judge = async (pod: Pod): Promise<void> => requireNamedBytes(context, stores, pod);
  const hint = `mend it, then: ciliumship rollback --to ${way.revision}`;
  const targetOf = (node: string) => ({ hash, nodeConfig: nodeConfigHash(node, told) });
  const quiet = to.before !== undefined;
  const order = await agentOrder(context, { ...to, namespace, suspects, targetOf, quiet });
  const steps = order.map((node) => {
    const target = targetOf(node);
    const untouched = untouchedOn(node, target.nodeConfig, to.before);
    const same = { namespace, all: order, suspects, image: undefined, timeout, soak, judge, hint };
    const theirs = { byDaemonSet: !inOurOrder, startedByChart: !inOurOrder };
    const wanted = { ...same, ...theirs, node, target, untouched };
    return replaceAgentStep(wanted, cluster);
  });
  await runStage('Roll back', steps, { ...acting(context), concurrency: 1, stopAtFailure: true });
}

/**
 * Uid of the agent that a node had before, when it is told the same again: whoever started that agent,
 * and whether anyone proved it, it is what the way back leads to.
 */
function untouchedOn(
  node: string,
  nodeConfig: string,
  before: Beforehand | undefined,
): string | undefined {
  if (before === undefined || nodeConfigHash(node, before) !== nodeConfig) return undefined;
  return agentAmong(before.agents, node)?.uid;
}

/** What runs must be what the node has under the name in the pod's spec. */
function requireNamedBytes(
  { config }: Context,
  stores: ReadonlyMap<string, NodeStore>,
  pod: Pod,
): void {
  const agent = pod.containers.find(({ name }) => name === AGENT_CONTAINER);
  const node = config.nodes.find((known) => kubernetesName(known) === pod.node);
  if (agent === undefined || runsAsNamed(stores.get(node?.name ?? ''), agent)) return;
  throw new ShipError(
    'deploy',
    `${pod.node}: the agent runs ${agent.imageId === undefined ? 'nothing' : shortDigest(agent.imageId)}, not what ${agent.image} is there`,
    { hint: 'see what runs where: ciliumship status' },
  );
}
