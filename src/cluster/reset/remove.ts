import type { Action } from '../../core/action.ts';
import type { Argv } from '../../core/remote.ts';

/** Exit code of a guarded command that found a mount below a path, and did nothing. */
export const MOUNTED = 64;

/** Looks at the moment of acting: a mount that came since is not followed either. */
const GUARD = `guard() { for path; do awk -v p="$path" '$5 == p || index($5, p "/") == 1 { print "mounted: " $5; found = 1 } END { exit found }' /proc/self/mountinfo >&2 || exit ${MOUNTED}; done; }`;

/**
 * Removes those of some fixed paths that are there, with all that is in them, each on its own file
 * system only.
 */
export function removeExisting(
  there: ReadonlySet<string>,
  known: readonly string[],
): readonly Action[] {
  const paths = known.filter((path) => there.has(path));
  if (paths.length === 0) return [];
  const script = `${GUARD}; guard "$@"; rm -rf --one-file-system -- "$@"`;
  const effect = `removes ${paths.join(', ')}`;
  return [{ argv: ['sh', '-c', script, 'remove', ...paths], effect }];
}

/** Runs a script of K3s that removes paths by itself, unless something is mounted below them. */
export function runGuarded(script: string, paths: readonly string[]): Action {
  const argv: Argv = ['sh', '-c', `${GUARD}; guard "$@"; exec "$0"`, script, ...paths];
  return { argv, effect: `runs ${script}` };
}
