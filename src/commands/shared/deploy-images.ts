import type { Traffic } from '../../cluster/cni/traffic.ts';
import { toShipError } from '../../core/errors.ts';
import type { ImageIdentity } from '../../core/image.ts';
import { allOf } from '../../output/together.ts';
import { AGENT_SELECTOR, AGENT_SET } from '../../deploy/agents.ts';
import type { FoundNodeConfig, Pod } from '../../deploy/cluster.ts';
import {
  changedNodeConfigs,
  foundNodeConfigs,
  nodeConfigHash,
  nodeConfigsOf,
  toldByConfig,
  unwantedNodeConfigs,
} from '../../deploy/node-config.ts';
import { isUnchanged } from '../../deploy/unchanged.ts';
import type { Context } from '../command.ts';
import { helmOn, type ClusterAccess } from './cluster.ts';
import { heldFields, requireTakenBack, showChanges } from './changes.ts';
import type { DeployFlags } from './deploy-flags.ts';
import { countingLost } from './count-lost.ts';
import { requireFrozenRelease } from './lock-file.ts';
import { usableRelease, whileLeased } from './release.ts';
import { labelChanges, rollOut, settleWorkloads } from './roll-out.ts';
import { prepareRollout, type DeployPlace, type Rollout } from './rollout.ts';
import { becomesByDeploy } from './unfinished-text.ts';
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
 * @param keep writes down what the release is now, before the next deploy may change it
 * @throws ShipError `config` (nothing was changed), `rolled-back`, `deploy` (the state is named),
 * `network`, `locked`
 */
export async function deployImages(
  context: Context<DeployFlags>,
  place: DeployPlace,
  images: readonly ImageIdentity[],
  keep?: (
    context: Context<DeployFlags>,
    access: ClusterAccess,
    deployed: Deployed,
  ) => Promise<void>,
): Promise<Deployed> {
  const release = { touched: false };
  try {
    return await whileLeased(context, place.access, async (leased, access) => {
      const deployed = await deploy(leased, { ...place, access }, images, release);
      await keep?.(leased, access, deployed);
      return deployed;
    });
  } catch (error) {
    throw release.touched ? error : unchanged(toShipError(error));
  }
}

async function deploy(
  context: Context<DeployFlags>,
  place: DeployPlace,
  images: readonly ImageIdentity[],
  touching: { touched: boolean },
): Promise<Deployed> {
  const { fleet, access } = place;
  const helm = await helmOn(context, access);
  const on = { cluster: access.cluster, helm };
  const { history, repaired } = await usableRelease(context, on, becomesByDeploy);
  touching.touched = repaired;
  const prepared = await prepareRollout(context, place, { helm, history }, images);
  await requireFrozenRelease(context, prepared.rendered);
  const held = await heldFields(prepared, context.flags.strategy !== 'chart');
  requireTakenBack(context, prepared.applied, held);
  const isForced = held.onServer && context.flags.forceConflicts === true;
  const rollout = isForced ? withForce(prepared) : prepared;
  if (await nothingToDo(context, rollout)) {
    await settleWorkloads(context, rollout);
    return result('nothing to do', rollout, history.at(-1)?.revision);
  }
  if (context.flags.dryRun === true) await showChanges(context, rollout);
  touching.touched = true;
  let rolledOut: number | undefined;
  const traffic = await countingLost(context, fleet, access, async () => {
    rolledOut = await undoing(context, fleet, rollout, () => rollOut(context, fleet, rollout));
  });
  const state = context.flags.dryRun === true ? 'planned' : 'deployed';
  const revision = rolledOut ?? history.at(-1)?.revision;
  return { ...(await result(state, rollout, revision)), traffic };
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

async function result(
  state: Deployed['state'],
  { cluster, namespace }: Rollout,
  revision: number | undefined,
): Promise<Deployed> {
  return { state, namespace, revision, agents: await cluster.pods(namespace, AGENT_SELECTOR) };
}
