import { cniAgents } from '../../cluster/cni/known.ts';
import type { AgentOnNode, CniOnNode } from '../../cluster/cni/status.ts';
import { combineFailures, toShipError } from '../../core/errors.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Step } from '../../core/step.ts';
import { readCniConfig } from '../../facts/cni-config.ts';
import { readNodeFacts } from '../../facts/node-facts.ts';
import { settleStage } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import { openClusterAccess, releaseOf } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { looking } from './stages.ts';

/**
 * What every node of a fleet shows of CNIs, and which agents the cluster has there.
 *
 * @throws ShipError of the highest class when a node cannot be looked at
 */
export async function lookAtCni(context: Context, fleet: Fleet): Promise<readonly CniOnNode[]> {
  const [agents, looked] = await Promise.all([
    agentsOfCluster(context, fleet),
    settleStage('Look', lookSteps(context, fleet), looking(context)),
  ]);
  const failures = new Map([...fleet.failures, ...looked.failures]);
  if (failures.size > 0) throw combineFailures('cni status', failures);
  return context.config.nodes.flatMap((node) => {
    const found = looked.results.get(node.name);
    if (found === undefined) return [];
    const own = agents?.filter((agent) => agent.node === kubernetesName(node));
    return [{ ...found, agents: own }];
  });
}

function lookSteps({ config }: Context, { sessions }: Fleet) {
  return config.nodes.flatMap(({ name }): readonly Step<Omit<CniOnNode, 'agents'>>[] => {
    const session = sessions.get(name);
    if (session === undefined) return [];
    const run = async ({ signal }: { readonly signal: AbortSignal }) => {
      const [found, { traces }] = await Promise.all([
        readCniConfig(session, signal),
        readNodeFacts(session, signal),
      ]);
      return { node: name, config: found, traces };
    };
    return [{ id: name, title: `look at ${name}`, run, describe: () => name }];
  });
}

/** Undefined when the cluster does not answer: the nodes may still be looked at. */
async function agentsOfCluster(
  context: Context,
  fleet: Fleet,
): Promise<readonly (AgentOnNode & { readonly node: string | undefined })[] | undefined> {
  try {
    await using access = await openClusterAccess(context, fleet);
    const found = cniAgents(releaseOf(context).namespace).map(
      async ({ name, namespace, selector }) => {
        const pods = await access.cluster.pods(namespace, selector);
        return pods.map((pod) => ({ cni: name, pod: pod.name, ready: pod.ready, node: pod.node }));
      },
    );
    return (await Promise.all(found)).flat();
  } catch (error) {
    context.signal.throwIfAborted();
    context.output.note(`the cluster was not looked at: ${toShipError(error).message}`);
    return undefined;
  }
}
