import { parseDuration } from '../../config/duration.ts';
import { ShipError, toShipError } from '../../core/errors.ts';
import type { Helm, HelmStatus } from '../../deploy/cluster.ts';
import {
  stuckRelease,
  unfinishedRollout,
  type History,
  type StuckRelease,
} from '../../deploy/history.ts';
import { leaseRelease } from '../../deploy/lease.ts';
import { repairStep } from '../../deploy/steps.ts';
import { runStage } from '../../output/stage.ts';
import { selfDescription } from '../../system/self.ts';
import type { Context } from '../command.ts';
import { helmOn, releaseOf, type ClusterAccess } from './cluster.ts';
import type { DeployFlags } from './deploy-flags.ts';
import { acting } from './stages.ts';
import { REPAIR, requireAbandoned, stuckText } from './stuck-release.ts';

/**
 * Runs `act` while no other deploy or rollback of this release may run. A run whose lease was taken
 * over stops where it is. A dry run takes no lease.
 *
 * @param act gets the context whose signal ends with the lease
 * @throws ShipError `locked`; what `act` throws
 */
export async function whileLeased<Flags extends object, T>(
  context: Context<Flags>,
  { cluster, closing }: Pick<ClusterAccess, 'cluster' | 'closing'>,
  act: (context: Context<Flags>) => Promise<T>,
): Promise<T> {
  const { flags, output, signal } = context;
  if (flags.dryRun === true) return act(context);
  const wait = parseDuration(flags.lockWait ?? '0s');
  const note = (text: string): void => output.note(text);
  const options = { wait, signal, note, closing: () => closing().leases };
  const release = releaseOf(context);
  await using held = await leaseRelease(cluster.leases, release, selfDescription(), options);
  return await act({ ...context, signal: AbortSignal.any([signal, held.lost]) });
}

/**
 * Looks whether Helm can work on the release, and repairs it when it was abandoned and somebody says
 * so (E8). A rollout that was not finished is named. The lease of the release must be held: no other
 * deploy or rollback of ours is under way then.
 *
 * @param what becomes of an unfinished rollout: `is finished now`
 * @returns its history
 * @throws ShipError `deploy` when the release is stuck and not to be repaired
 */
export async function usableRelease(
  context: Context<DeployFlags>,
  helm: Helm,
  what: string,
): Promise<History> {
  const release = releaseOf(context);
  const history = await helm.history(release);
  const stuck = stuckRelease(history);
  if (stuck !== undefined) {
    await requireAbandoned(context, stuck);
    await repair(context, helm, stuck);
    return helm.history(release);
  }
  const open = unfinishedRollout(history);
  if (open !== undefined) context.output.note(`${unfinishedText(open)}; it ${what}`);
  return history;
}

/**
 * What fails here may have changed something, whatever it failed of.
 *
 * @throws ShipError `deploy`; also in a dry run, which ends here
 */
async function repair(context: Context, helm: Helm, stuck: StuckRelease): Promise<void> {
  const release = releaseOf(context);
  try {
    await runStage('Repair', [repairStep(helm, release, stuck.repair)], acting(context));
  } catch (error) {
    context.signal.throwIfAborted();
    const { message, details } = toShipError(error);
    const said = `${stuckText(release.name, stuck)}; repairing it failed: ${message}`;
    throw new ShipError('deploy', said, { details, cause: error, hint: REPAIR });
  }
  if (context.flags.dryRun !== true) return;
  // Helm plans nothing for a release that is in the middle of something.
  const said = `${stuckText(release.name, stuck)}: nothing more can be planned before it is repaired`;
  throw new ShipError('deploy', said, { hint: REPAIR });
}

/** Says that the release is in the middle of something, for commands that only look. */
export async function noteRelease(context: Context, access: ClusterAccess): Promise<void> {
  const release = releaseOf(context);
  const asked = helmOn(context, access).then((helm) => helm.history(release));
  // Whoever only looks needs no Helm.
  const history = await asked.catch(() => []);
  const open = unfinishedRollout(history);
  const stuck = stuckRelease(history);
  if (stuck !== undefined) {
    context.output.note(`${stuckText(release.name, stuck)}; ${REPAIR}`);
  } else if (open !== undefined) {
    context.output.note(
      `${unfinishedText(open)}; finish it: ciliumship deploy, or undo it: ciliumship rollback`,
    );
  }
}

function unfinishedText({ revision }: HelmStatus): string {
  return `the rollout of revision ${revision} was not finished`;
}
