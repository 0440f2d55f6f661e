import { ShipError } from '../../core/errors.ts';
import { parseDuration } from '../../config/duration.ts';
import type { Cluster, Helm, HelmStatus } from '../../deploy/cluster.ts';
import { repairOf, unfinishedRollout, type History } from '../../deploy/history.ts';
import { leaseRelease } from '../../deploy/lease.ts';
import { repairStep } from '../../deploy/steps.ts';
import { runStage } from '../../output/stage.ts';
import { selfDescription } from '../../system/self.ts';
import type { Context } from '../command.ts';
import { helmOn, releaseOf, type ClusterAccess } from './cluster.ts';
import type { DeployFlags } from './deploy-flags.ts';
import { acting } from './stages.ts';

/**
 * Runs `act` while no other deploy or rollback of this release may run. A run whose lease was taken
 * over stops where it is. A dry run takes no lease.
 *
 * @param act gets the context whose signal ends with the lease
 * @throws ShipError `locked`; what `act` throws
 */
export async function whileLeased<Flags extends object, T>(
  context: Context<Flags>,
  cluster: Cluster,
  act: (context: Context<Flags>) => Promise<T>,
): Promise<T> {
  const { flags, output, signal } = context;
  if (flags.dryRun === true) return act(context);
  const wait = parseDuration(flags.lockWait ?? '0s');
  const note = (text: string): void => output.note(text);
  const options = { wait, signal, note };
  const release = releaseOf(context);
  await using held = await leaseRelease(cluster.leases, release, selfDescription(), options);
  return await act({ ...context, signal: AbortSignal.any([signal, held.lost]) });
}

/**
 * Looks whether Helm can work on the release, and repairs it when asked to (E8). A rollout that was
 * not finished is named.
 *
 * @param what becomes of an unfinished rollout: `is finished now`
 * @returns its history
 * @throws ShipError `deploy` when the release is stuck and `--repair-release` was not given
 */
export async function usableRelease(
  context: Context<DeployFlags>,
  helm: Helm,
  what: string,
): Promise<History> {
  const release = releaseOf(context);
  const history = await helm.history(release);
  const repair = repairOf(history);
  if (repair !== undefined) {
    if (context.flags.repairRelease !== true) throw stuck(release.name, history);
    await runStage('Repair', [repairStep(helm, release, repair)], acting(context));
    return helm.history(release);
  }
  const open = unfinishedRollout(history);
  if (open !== undefined) context.output.note(`${unfinishedText(open)}; it ${what}`);
  return history;
}

/** Says that the release is in the middle of something, for commands that only look. */
export async function noteRelease(context: Context, access: ClusterAccess): Promise<void> {
  const release = releaseOf(context);
  const asked = helmOn(context, access).then((helm) => helm.history(release));
  // Whoever only looks needs no Helm.
  const history = await asked.catch(() => []);
  const open = unfinishedRollout(history);
  if (repairOf(history) !== undefined) {
    const { message, hint } = stuck(release.name, history);
    context.output.note(`${message}; ${hint}`);
  } else if (open !== undefined) {
    context.output.note(
      `${unfinishedText(open)}; finish it: ciliumship deploy, or undo it: ciliumship rollback`,
    );
  }
}

function unfinishedText({ revision }: HelmStatus): string {
  return `the rollout of revision ${revision} was not finished`;
}

function stuck(name: string, history: History): ShipError {
  const newest = history.at(-1);
  return new ShipError(
    'deploy',
    `release ${name}: revision ${newest?.revision} is ${newest?.status}: a Helm was killed, or still runs`,
    { hint: 'when no other Helm runs: ciliumship deploy --repair-release' },
  );
}
