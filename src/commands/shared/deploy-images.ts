import type { Traffic } from '../../cluster/cni/traffic.ts';
import { toShipError } from '../../core/errors.ts';
import type { ImageIdentity } from '../../core/image.ts';
import { AGENT_SELECTOR } from '../../deploy/agents.ts';
import type { Pod } from '../../deploy/cluster.ts';
import type { Context } from '../command.ts';
import { helmOn, type ClusterAccess } from './cluster.ts';
import { showChanges } from './changes.ts';
import type { DeployFlags } from './deploy-flags.ts';
import { countingLost } from './count-lost.ts';
import { requireFrozenRelease } from './lock-file.ts';
import { usableRelease, whileLeased } from './release.ts';
import { openRollout } from './open-rollout.ts';
import { rollOut, settleWorkloads } from './roll-out.ts';
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

/** What ciliumship.lock says of images and release. */
export interface ReleaseLock {
  /** @throws ShipError `locked` when another run shipped other images meanwhile */
  requireSame(context: Context<DeployFlags>, images: readonly ImageIdentity[]): Promise<void>;
  write(context: Context<DeployFlags>, access: ClusterAccess, deployed: Deployed): Promise<void>;
}

/**
 * Deploys shipped images: refuses what cannot work before anything is changed, then rolls out one
 * node at a time, and goes back to the last finished revision when a node fails (design §9).
 *
 * @param lock is asked when no other run may change it any more, and says then what the release is
 * @throws ShipError `config` (nothing was changed), `rolled-back`, `deploy` (the state is named),
 * `network`, `locked`
 */
export async function deployImages(
  context: Context<DeployFlags>,
  place: DeployPlace,
  images: readonly ImageIdentity[],
  lock?: ReleaseLock,
): Promise<Deployed> {
  const release = { touched: false };
  try {
    return await whileLeased(context, place.access, async (leased, access) => {
      await lock?.requireSame(leased, images);
      const deployed = await deploy(leased, { ...place, access }, images, release);
      await lock?.write(leased, access, deployed);
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
  const rollout = await openRollout(context, prepared);
  if (rollout === undefined) {
    await settleWorkloads(context, prepared);
    return result('nothing to do', prepared, history.at(-1)?.revision);
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

async function result(
  state: Deployed['state'],
  { cluster, namespace }: Rollout,
  revision: number | undefined,
): Promise<Deployed> {
  return { state, namespace, revision, agents: await cluster.pods(namespace, AGENT_SELECTOR) };
}
