import { ShipError } from '../core/errors.ts';
import type { Argv, Remote } from '../core/remote.ts';
import { LAYOUT } from '../facts/node-paths.ts';
import { rooted } from './decode.ts';

/**
 * An import whose command was given up goes on to its end: sshd passes no signal on to a process of
 * root. It would name what we remove, on a node that is somebody else's by then.
 */

/** Exit code of the script below. */
const STILL_RUNS = 70;

/**
 * Ends every import that works in folder `$1`, or in one right below it when `$2` is `/..`, and waits
 * until it is over; prints which there were. They are known by where they work, for root alone can be
 * there, and by what they do, for that may be a shell of the admin. Four fifths of its 20 seconds go to
 * those that do not hear SIGTERM.
 */
const END = `imports() {
  for process in /proc/[0-9]*; do
    [ "$process/cwd$2" -ef "$1" ] || continue
    tr '\\0' ' ' < "$process/cmdline" | grep -q 'images import' && echo "\${process#/proc/}"
  done
} 2> /dev/null
tries=0
while left=$(imports "$1" "$2"); [ -n "$left" ]; do
  if [ "$tries" -eq 0 ] || [ "$tries" -ge 100 ]; then echo $left; fi
  if [ "$tries" -ge 100 ]; then exit ${STILL_RUNS}; fi
  if [ "$tries" -lt 20 ]; then kill $left; else kill -9 $left; fi 2> /dev/null
  sleep 0.2 2> /dev/null || { sleep 1; tries=$((tries + 4)); }
  tries=$((tries + 1))
done`;

/** One that has not begun yet finds this when it does. */
const STOP = `[ -d "$1" ] || exit 0
set -- "$1/$3" "$2"
mkdir -p "$1" && : > "$1/stop" || exit 1
`;

/**
 * Ends one import of ours, wherever its command is; it never begins when it has not yet. Touches
 * nothing that is not of this import, and so may be asked of a node that is not ours any more.
 *
 * @param token of the import
 * @throws ShipError `storage` when it still runs after 20 seconds, `network`
 */
export async function endImport(remote: Remote, token: string): Promise<void> {
  await end(remote, ['sh', '-c', STOP + END, 'end', LAYOUT, '', token]);
}

/**
 * Ends what imports of earlier runs are still at work on a node that is ours.
 *
 * @returns whether there was any
 * @throws ShipError as `endImport`
 */
export async function endLeft(remote: Remote, signal?: AbortSignal): Promise<boolean> {
  return end(remote, ['sh', '-c', END, 'end', LAYOUT, '/..'], signal);
}

async function end(remote: Remote, argv: Argv, signal?: AbortSignal): Promise<boolean> {
  const { code, stdout } = await remote.run(argv, { ...rooted(signal), accept: [STILL_RUNS] });
  if (code !== STILL_RUNS) return stdout !== '';
  const pids = stdout.trim().split('\n').at(-1);
  throw new ShipError(
    'storage',
    `${remote.node}: an import that was to end still runs there (process ${pids})`,
    { hint: `on ${remote.node}, look why it does not end: ps -o pid,stat,wchan,args -p '${pids}'` },
  );
}
