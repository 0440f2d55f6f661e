import { AGENT_SELECTOR, AGENT_SET } from '../../deploy/agents.ts';
import type { FoundNodeConfig } from '../../deploy/cluster.ts';
import {
  changedNodeConfigs,
  foundNodeConfigs,
  nodeConfigHash,
  nodeConfigsOf,
  toldByConfig,
  unwantedNodeConfigs,
} from '../../deploy/node-config.ts';
import { isUnchanged } from '../../deploy/unchanged.ts';
import { allOf } from '../../output/together.ts';
import type { Context } from '../command.ts';
import { heldFields, requireTakenBack } from './changes.ts';
import type { DeployFlags } from './deploy-flags.ts';
import { labelChanges } from './roll-out.ts';
import type { Rollout } from './rollout.ts';

/**
 * The rollout as Helm will be asked for it; undefined when it would change nothing: whoever holds which
 * fields does not matter then, since Helm is not asked.
 *
 * @throws ShipError `config` when Helm would stop at fields of others; as the cluster does
 */
export async function openRollout(
  context: Context<DeployFlags>,
  rollout: Rollout,
): Promise<Rollout | undefined> {
  if (await nothingToDo(context, rollout)) return undefined;
  const held = await heldFields(rollout, context.flags.strategy !== 'chart');
  requireTakenBack(context, rollout.applied, held);
  const isForced = held.onServer && context.flags.forceConflicts === true;
  return isForced ? withForce(rollout) : rollout;
}

function withForce(rollout: Rollout): Rollout {
  const forceConflicts = true;
  return {
    ...rollout,
    release: { ...rollout.release, forceConflicts },
    underWay: { ...rollout.underWay, forceConflicts },
  };
}

async function nothingToDo({ config }: Context, rollout: Rollout): Promise<boolean> {
  const { cluster, namespace, candidates, rendered, applied, history } = rollout;
  const [found, agents, hash] = await allOf(
    foundNodeConfigs(cluster, namespace),
    cluster.pods(namespace, AGENT_SELECTOR),
    cluster.currentHash(namespace, AGENT_SET),
  );
  const labels = labelChanges(config.nodes, rollout).filter(
    ([, change]) => Object.keys(change).length > 0,
  );
  const told = toldByConfig(config.nodes, candidates, found);
  return isUnchanged({
    rendered,
    applied: applied.manifest,
    history,
    agents,
    nodeConfigs: new Map(candidates.map(({ name }) => [name, nodeConfigHash(name, told)])),
    hash,
    open: labels.length + openNodeConfigs(config.nodes, found),
    edits: applied.edits.length,
  });
}

function openNodeConfigs(
  nodes: Context['config']['nodes'],
  found: readonly FoundNodeConfig[],
): number {
  const wanted = nodeConfigsOf(nodes);
  return changedNodeConfigs(wanted, found).length + unwantedNodeConfigs(wanted, found).length;
}
