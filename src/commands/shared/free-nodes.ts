import { kubernetesName } from '../../core/node.ts';
import { AGENT_SET } from '../../deploy/agents.ts';
import type { Cluster } from '../../deploy/cluster.ts';
import { freeNodeStep, isCutOff, type CutNode } from '../../deploy/free-node.ts';
import type { ApiServer, RenderedWorkload } from '../../deploy/manifest.ts';
import { settleStage } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { timeoutOf } from './timeout.ts';
import { acting } from './stages.ts';

/** Namespace of the leases that kubelets renew every ten seconds. */
const HEARTBEATS = 'kube-node-lease';
/** Milliseconds after which a kubelet has given up a dead connection for sure. */
const RECONNECT = 120_000;

/**
 * Frees nodes that answer by SSH and do not reach the API server by the way that agents take, so
 * that their kubelets hear of what comes next. A node that stays cut off is named and hinders no
 * other.
 *
 * @param workloads of the rollout that is to be undone; they say where agents look for the API server
 * @param names Kubernetes names of the nodes that may be cut off
 * @returns those that were freed
 */
export async function freeNodes(
  context: Context,
  fleet: Fleet,
  cluster: Cluster,
  workloads: readonly RenderedWorkload[],
  names: readonly string[],
): Promise<readonly string[]> {
  const apiServer = apiServerOf(context, workloads);
  if (apiServer === undefined) return [];
  const timeout = Math.max(timeoutOf(context), RECONNECT);
  const asked = context.config.nodes
    .filter((node) => names.includes(kubernetesName(node)))
    .flatMap((node) => {
      const remote = fleet.sessions.get(node.name);
      const heartbeat = async (): Promise<string | undefined> =>
        (await cluster.leases.read(HEARTBEATS, kubernetesName(node)))?.version;
      return remote === undefined ? [] : [{ remote, apiServer, heartbeat, timeout }];
    });
  const cut = await filterCut(asked, context.signal);
  if (cut.length === 0) return [];
  const { results, failures } = await settleStage('Free', cut.map(freeNodeStep), acting(context));
  for (const { message } of failures.values()) context.output.note(message);
  return [...results.keys()];
}

async function filterCut(nodes: readonly CutNode[], signal: AbortSignal) {
  const looked = nodes.map(async (node) => {
    const cut = await isCutOff(node, signal).catch(() => false);
    signal.throwIfAborted();
    return cut ? [node] : [];
  });
  return (await Promise.all(looked)).flat();
}

/** As the agents are told; else the data address of a server node. */
function apiServerOf(
  { config }: Context,
  workloads: readonly RenderedWorkload[],
): ApiServer | undefined {
  const told = workloads.find(({ name }) => name === AGENT_SET)?.apiServer;
  if (told !== undefined) return told;
  const server = config.nodes.find(({ role }) => role === 'server');
  const host = server?.dataAddress?.split('/')[0];
  return host === undefined ? undefined : { host, port: '6443' };
}
