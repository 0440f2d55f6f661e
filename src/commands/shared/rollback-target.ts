import { ShipError } from '../../core/errors.ts';
import type { Helm, HelmStatus } from '../../deploy/cluster.ts';
import { earlierRevision } from '../../deploy/earlier.ts';
import { isToGoBackTo } from '../../deploy/history.ts';
import type { Context } from '../command.ts';
import type { RollbackFlags } from '../rollback.ts';
import { releaseOf } from './cluster.ts';
import type { KnownSettings } from './node-record.ts';
import type { Usable } from './release.ts';

/**
 * The revision that a rollback goes to: the one that somebody chose, or the one before what runs.
 *
 * @throws ShipError naming the revisions that one can go back to
 */
export async function rollbackTarget(
  context: Context<RollbackFlags>,
  helm: Helm,
  usable: Usable,
  known: KnownSettings,
): Promise<HelmStatus> {
  const { history } = usable;
  const wanted = context.flags.to;
  const found =
    wanted === undefined
      ? await differing(context, helm, usable, known)
      : history.find(({ revision }) => revision === wanted);
  if (found !== undefined && isToGoBackTo(history, found)) return found;
  const finished = history.filter((entry) => isToGoBackTo(history, entry));
  const numbers = finished.map(({ revision }) => revision);
  const near = numbers.findLast((revision) => revision !== history.at(-1)?.revision);
  const { name } = releaseOf(context);
  const kind = wanted === undefined ? 'config' : 'usage';
  throw new ShipError(kind, `release ${name}: ${lackText(wanted)}`, {
    hint:
      numbers.length === 0
        ? 'install it: ciliumship deploy'
        : `go back to ${numbers.join(' or ')}: ciliumship rollback --to ${near ?? numbers.at(-1)}`,
  });
}

function lackText(wanted: number | undefined): string {
  return wanted === undefined
    ? 'nothing to go back to: no revision that was rolled out to its end differs from what runs'
    : `no revision ${wanted} that was rolled out to its end`;
}

/** Says which revisions are no way back. */
async function differing(
  context: Context,
  helm: Helm,
  usable: Usable,
  { now, at }: KnownSettings,
): Promise<HelmStatus | undefined> {
  const newest = usable.history.at(-1);
  const settingsAt = (entry: HelmStatus) => at(entry) ?? (entry === newest ? now : undefined);
  const { target, same } = await earlierRevision(helm, releaseOf(context), usable, settingsAt);
  if (same.length > 0) {
    context.output.note(sameText(same));
  }
  return target;
}

function sameText(revisions: readonly number[]): string {
  const names = revisions.join(', ');
  return revisions.length === 1
    ? `revision ${names} is not gone back to: it is the same as what runs now`
    : `revisions ${names} are not gone back to: they are the same as what runs now`;
}
