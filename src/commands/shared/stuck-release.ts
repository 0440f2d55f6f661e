import { ShipError } from '../../core/errors.ts';
import { ageOf, type StuckRelease } from '../../deploy/history.ts';
import { canAsk, openAsker } from '../../system/ask.ts';
import type { Context } from '../command.ts';
import { releaseOf } from './cluster.ts';
import type { DeployFlags } from './deploy-flags.ts';
import { timeoutOf } from './timeout.ts';

/** What to type when a Helm was killed. A rollback is not ended by rolling out what it was to leave. */
export function repairHint(stuck: StuckRelease): string {
  return `when no other Helm runs: ${repairCommand(stuck)}`;
}

function repairCommand({ newest }: StuckRelease): string {
  const command = newest.status === 'pending-rollback' ? 'rollback' : 'deploy';
  return `ciliumship ${command} --repair-release`;
}

/**
 * Lets a repair begin: the release must have stood still for longer than a Helm may take, and
 * somebody must want it, by `--repair-release` or at the terminal. What was never finished is applied
 * again only by someone who typed the name of the release.
 *
 * @throws ShipError `deploy` naming the state and what to type; `interrupted`
 */
export async function requireAbandoned(
  context: Context<DeployFlags>,
  stuck: StuckRelease,
): Promise<void> {
  const { flags, signal } = context;
  const release = releaseOf(context);
  const text = stuckText(release.name, stuck);
  const left = timeoutOf(context) - (ageOf(stuck.newest, Date.now()) ?? Infinity);
  if (left > 0) {
    throw new ShipError('deploy', `${text}: a Helm may still be at it`, {
      hint: `when it is not: ${repairCommand(stuck)}, in ${Math.ceil(left / 1000)} s`,
    });
  }
  if (flags.repairRelease === true && !stuck.first) return;
  const byHand = `helm uninstall ${release.name} -n ${release.namespace}`;
  if (flags.dryRun === true || !canAsk()) {
    throw new ShipError('deploy', `${text}: a Helm was killed`, {
      hint: stuck.first
        ? `remove what it began: ${byHand}   (or apply it again: ciliumship deploy --repair-release, in a terminal)`
        : repairHint(stuck),
    });
  }
  using asker = openAsker(signal);
  const typed = await asker.ask(`${text}: ${repairText(stuck)}? type ${release.name}`);
  if (typed === release.name) return;
  throw new ShipError('deploy', `${text}: not repaired`, { hint: repairHint(stuck) });
}

/** What somebody agrees to. */
function repairText({ repair }: StuckRelease): string {
  return 'revision' in repair
    ? `apply revision ${repair.revision} again`
    : 'finish its removal, and install it anew';
}

/** `release cilium: revision 7 is pending-upgrade since 2026-11-29T10:20:30Z`. */
export function stuckText(name: string, { newest }: StuckRelease): string {
  const { revision, status, updated } = newest;
  const began = Date.parse(updated ?? '');
  const time = Number.isNaN(began) ? '' : new Date(began).toISOString().replace(/\.\d+Z$/, 'Z');
  return `release ${name}: revision ${revision} is ${status}${time === '' ? '' : ` since ${time}`}`;
}
