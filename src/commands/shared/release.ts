import { parseDuration } from '../../config/duration.ts';
import { ShipError, toShipError } from '../../core/errors.ts';
import type { Cluster, Helm } from '../../deploy/cluster.ts';
import { repeatedIn, stuckRelease, type History, type StuckRelease } from '../../deploy/history.ts';
import { leaseRelease } from '../../deploy/lease.ts';
import { leasedCluster } from '../../deploy/leased.ts';
import { unfinishedWork, type Unfinished } from '../../deploy/unfinished.ts';
import { repairStep } from '../../deploy/steps.ts';
import { runStage } from '../../output/stage.ts';
import { selfDescription } from '../../system/self.ts';
import type { Context } from '../command.ts';
import { helmOn, releaseOf, type ClusterAccess } from './cluster.ts';
import type { DeployFlags } from './deploy-flags.ts';
import { noteFreeOrder } from './hold-order.ts';
import { recordedRevision } from './kept-release.ts';
import { acting } from './stages.ts';
import { unfinishedText, waysOn } from './unfinished-text.ts';
import { repairHint, requireAbandoned, stuckText } from './stuck-release.ts';

/**
 * Runs `act` while no other deploy or rollback of this release may run. A run whose lease was taken
 * over stops where it is. A dry run takes no lease.
 *
 * @param act gets the context whose signal ends with the lease, and the access whose changes go out only
 * while it is ours
 * @throws ShipError `locked`; what `act` throws
 */
export async function whileLeased<Flags extends object, T>(
  context: Context<Flags>,
  access: ClusterAccess,
  act: (context: Context<Flags>, access: ClusterAccess) => Promise<T>,
): Promise<T> {
  const { cluster, closing } = access;
  const { flags, output, signal } = context;
  if (flags.dryRun === true) return act(context, access);
  const wait = parseDuration(flags.lockWait ?? '0s');
  const note = (text: string): void => output.note(text);
  const options = { wait, signal, note, closing: () => closing().leases };
  const release = releaseOf(context);
  await using held = await leaseRelease(cluster.leases, release, selfDescription(), options);
  const { confirm } = held;
  return await act(
    { ...context, signal: AbortSignal.any([signal, held.lost]) },
    { ...access, cluster: leasedCluster(cluster, confirm), confirm },
  );
}

/** A release that Helm can work on. */
export interface Usable {
  readonly history: History;
  /** It was freed by this run, and is another one since. */
  readonly repaired: boolean;
  /** What the next rollout or rollback finds half done. */
  readonly open: Unfinished | undefined;
}

/**
 * Looks whether Helm can work on the release, and repairs it when it was abandoned and somebody says
 * so (E8). A rollout that was not finished is named. The lease of the release must be held: no other
 * deploy or rollback of ours is under way then.
 *
 * @param what becomes of what was not finished: `it is finished now`
 * @throws ShipError `deploy` when the release is stuck and not to be repaired
 */
export async function usableRelease(
  context: Context<DeployFlags>,
  { cluster, helm }: { readonly cluster: Cluster; readonly helm: Helm },
  what: (open: Unfinished) => string,
): Promise<Usable> {
  const release = releaseOf(context);
  const history = await helm.history(release);
  const stuck = stuckRelease(history);
  if (stuck !== undefined) {
    await requireAbandoned(context, stuck);
    await repair(context, helm, stuck);
  }
  const now = stuck === undefined ? history : await helm.history(release);
  const recorded = () => recordedRevision(cluster, release);
  const found = await unfinishedWork(cluster, release.namespace, now, recorded);
  const open = found ?? (stuck === undefined ? undefined : repeatedRollback(now, stuck));
  const known = stuck === undefined || stuck.newest.status === 'pending-rollback';
  if (open !== undefined && known) context.output.note(`${unfinishedText(open)}; ${what(open)}`);
  return { history: now, repaired: stuck !== undefined, open };
}

/** A killed rollback that its repair brought to its end: whoever goes back now means that one. */
function repeatedRollback(history: History, { newest }: StuckRelease): Unfinished | undefined {
  const repaired = history.at(-1);
  if (repaired === undefined || newest.status !== 'pending-rollback') return undefined;
  return { kind: 'rollback', back: repeatedIn(history, repaired) };
}

/**
 * What fails here may have changed something, whatever it failed of.
 *
 * @throws ShipError `deploy`; also in a dry run, which ends here
 */
async function repair(context: Context, helm: Helm, stuck: StuckRelease): Promise<void> {
  const release = releaseOf(context);
  if ('revision' in stuck.repair) await noteFreeOrder(context, { helm, release }, stuck.repair);
  try {
    await runStage('Repair', [repairStep(helm, release, stuck.repair)], acting(context));
  } catch (error) {
    context.signal.throwIfAborted();
    const { message, details } = toShipError(error);
    const said = `${stuckText(release.name, stuck)}; repairing it failed: ${message}`;
    throw new ShipError('deploy', said, { details, cause: error, hint: repairHint(stuck) });
  }
  if (context.flags.dryRun !== true) return;
  // Helm plans nothing for a release that is in the middle of something.
  const said = `${stuckText(release.name, stuck)}: nothing more can be planned before it is repaired`;
  throw new ShipError('deploy', said, { hint: repairHint(stuck) });
}

/** Says that the release is in the middle of something, for commands that only look. */
export async function noteRelease(context: Context, access: ClusterAccess): Promise<void> {
  const release = releaseOf(context);
  const asked = helmOn(context, access).then((helm) => helm.history(release));
  // Whoever only looks needs no Helm.
  const history = await asked.catch(() => []);
  const stuck = stuckRelease(history);
  const recorded = () => recordedRevision(access.cluster, release);
  const looked = unfinishedWork(access.cluster, release.namespace, history, recorded);
  const open = await looked.catch(() => undefined);
  if (stuck !== undefined) {
    context.output.note(`${stuckText(release.name, stuck)}; ${repairHint(stuck)}`);
  } else if (open !== undefined) {
    context.output.note(`${unfinishedText(open)}; ${waysOn(open)}`);
  }
}
