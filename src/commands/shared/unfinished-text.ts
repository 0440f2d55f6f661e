import type { Unfinished } from '../../deploy/unfinished.ts';

/** Says what was not finished. */
export function unfinishedText(open: Unfinished): string {
  if (open.kind === 'rollback')
    return `the rollback to revision ${open.back.revision} was not finished`;
  if (open.kind === 'rollout') return `the rollout of revision ${open.revision} was not finished`;
  return `revision ${open.revision} is a rollback that Helm failed over`;
}

/** Says what to type, for commands that only look. */
export function waysOn(open: Unfinished): string {
  const forward = 'or roll out what the config says: ciliumship deploy';
  if (open.kind === 'rollback') {
    return `finish it: ciliumship rollback --to ${open.back.revision}, ${forward}`;
  }
  if (open.kind === 'failed rollback') return `try it again: ciliumship rollback, ${forward}`;
  return 'finish it: ciliumship deploy, or undo it: ciliumship rollback';
}

/** What a deploy makes of it. */
export function becomesByDeploy({ kind }: Unfinished): string {
  return kind === 'rollout' ? 'it is finished now' : 'this rollout takes its place';
}

/**
 * What a rollback makes of it.
 *
 * @param to the revision that somebody chose
 */
export function becomesByRollback(open: Unfinished, to: number | undefined): string {
  if (open.kind === 'rollout') return 'it is undone now';
  const again = open.kind === 'rollback' ? 'it is finished now' : 'it is tried again';
  const same = open.kind === 'rollback' && open.back.revision === to;
  return to === undefined || same ? again : `revision ${to} comes instead`;
}
