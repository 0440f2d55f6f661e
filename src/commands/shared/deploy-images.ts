import type { Traffic } from '../../cluster/cni/traffic.ts';
import { toShipError } from '../../core/errors.ts';
import type { ShipImage } from '../../core/image.ts';
import { AGENT_SELECTOR, AGENT_SET } from '../../deploy/agents.ts';
import type { FoundNodeConfig, Pod } from '../../deploy/cluster.ts';
import {
  changedNodeConfigs,
  nodeConfigHash,
  nodeConfigsOf,
  unwantedNodeConfigs,
} from '../../deploy/node-config.ts';
import { isUnchanged } from '../../deploy/unchanged.ts';
import type { Context } from '../command.ts';
import { helmOn, type ClusterAccess } from './cluster.ts';
import { editsByHand, needsForce, requireTakenBack, showChanges } from './changes.ts';
import type { DeployFlags } from './deploy-flags.ts';
import type { Fleet } from './fleet.ts';
import { countingLost } from './count-lost.ts';
import { requireFrozenRelease } from './lock-file.ts';
import { usableRelease, whileLeased } from './release.ts';
import { labelChanges, rollOut, settleWorkloads } from './roll-out.ts';
import { prepareRollout, type Rollout } from './rollout.ts';
import { undoing } from './undo.ts';
import { unchanged } from './undo-errors.ts';

export interface Deployed {
  readonly state: 'deployed' | 'nothing to do' | 'planned';
  readonly namespace: string;
  readonly revision: number | undefined;
  readonly agents: readonly Pod[];
  /** Pings between pods during the rollout, when they were counted. */
  readonly traffic?: Traffic | undefined;
}

/**
 * Deploys shipped images: refuses what cannot work before anything is changed, then rolls out one
 * node at a time, and goes back to the last finished revision when a node fails (design §9).
 *
 * @throws ShipError `config` (nothing was changed), `rolled-back`, `deploy` (the state is named),
 * `network`, `locked`
 */
export async function deployImages(
  context: Context<DeployFlags>,
  fleet: Fleet,
  access: ClusterAccess,
  images: readonly ShipImage[],
): Promise<Deployed> {
  const begun = { rollout: false };
  try {
    return await whileLeased(context, access, (leased) =>
      deploy(leased, fleet, access, images, begun),
    );
  } catch (error) {
    throw begun.rollout ? error : unchanged(toShipError(error));
  }
}

async function deploy(
  context: Context<DeployFlags>,
  fleet: Fleet,
  access: ClusterAccess,
  images: readonly ShipImage[],
  begun: { rollout: boolean },
): Promise<Deployed> {
  const helm = await helmOn(context, access);
  await usableRelease(context, helm, 'is finished now');
  const prepared = await prepareRollout(context, fleet, access, helm, images);
  await requireFrozenRelease(context, prepared.rendered);
  const edits = await editsByHand(prepared);
  const forceConflicts = await needsForce(prepared, edits);
  requireTakenBack(context, forceConflicts, edits);
  const rollout = forceConflicts ? withForce(prepared) : prepared;
  if (await nothingToDo(context, rollout, edits)) {
    await settleWorkloads(context, rollout);
    return result('nothing to do', rollout);
  }
  if (context.flags.dryRun === true) await showChanges(context, rollout);
  begun.rollout = true;
  const traffic = await countingLost(context, fleet, access, () =>
    undoing(context, fleet, rollout, () => rollOut(context, fleet, rollout)),
  );
  const state = context.flags.dryRun === true ? 'planned' : 'deployed';
  return { ...(await result(state, rollout)), traffic };
}

function withForce(rollout: Rollout): Rollout {
  const forceConflicts = true;
  return {
    ...rollout,
    release: { ...rollout.release, forceConflicts },
    underWay: { ...rollout.underWay, forceConflicts },
  };
}

async function nothingToDo(
  { config }: Context,
  rollout: Rollout,
  edits: readonly string[],
): Promise<boolean> {
  const { cluster, helm, namespace, release, candidates, rendered } = rollout;
  const version = await cluster.nodeConfigVersion();
  const found = version === undefined ? [] : await cluster.nodeConfigs(namespace, version);
  const labels = labelChanges(config.nodes, rollout).filter(
    ([, change]) => Object.keys(change).length > 0,
  );
  return isUnchanged({
    rendered,
    applied: await helm.manifest(release),
    history: await helm.history(release),
    agents: await cluster.pods(namespace, AGENT_SELECTOR),
    nodeConfigs: new Map(candidates.map(({ name }) => [name, nodeConfigHash(name, config.nodes)])),
    hash: await cluster.currentHash(namespace, AGENT_SET),
    open: labels.length + openNodeConfigs(config.nodes, found),
    edits: edits.length,
  });
}

function openNodeConfigs(
  nodes: Context['config']['nodes'],
  found: readonly FoundNodeConfig[],
): number {
  const wanted = nodeConfigsOf(nodes);
  return changedNodeConfigs(wanted, found).length + unwantedNodeConfigs(wanted, found).length;
}

async function result(state: Deployed['state'], rollout: Rollout): Promise<Deployed> {
  const { cluster, helm, namespace, release } = rollout;
  const [status, agents] = await Promise.all([
    helm.status(release),
    cluster.pods(namespace, AGENT_SELECTOR),
  ]);
  return { state, namespace, revision: status?.revision, agents };
}
