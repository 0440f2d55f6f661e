import {
  HEARTBEAT,
  overtaken,
  takeLock,
  type FoundLock,
  type Holder,
  type LockOptions,
  type LockState,
  type Self,
} from '../core/lock.ts';
import type { Argv, Remote } from '../core/remote.ts';
import { NODE_FOLDER } from '../facts/node-paths.ts';

export interface NodeLock extends AsyncDisposable {
  /** Aborted with ShipError `locked` when someone took the lock over. */
  readonly lost: AbortSignal;
  /**
   * Asks the node now, as after a time without a connection.
   *
   * @throws ShipError `locked` when the lock is not ours any more, `network`
   */
  confirm(): Promise<void>;
  /** Leaves the node locked when this is disposed of, for whoever finds the lock of a holder that is gone. */
  keep(): void;
}

/** How a lock is held on a node. */
export interface NodeLockOptions extends LockOptions {
  /** The holder removes the folder that the lock lies in: then only another one's lock there is a loss. */
  readonly removesFolder?: boolean;
}

const LOCK = `${NODE_FOLDER}/lock`;
const HELD = 75;
const LOST = 76;

/**
 * Locks a node against other runs: a file made with O_EXCL, touched every ten seconds. It is taken
 * over when its holder is a dead process of this machine, or its heartbeat stood still while we
 * watched; clocks are never compared (design §8).
 *
 * @throws ShipError `locked` naming the holder; `storage` when the file cannot be written
 */
export async function lockNode(
  remote: Remote,
  self: Self,
  options: NodeLockOptions,
): Promise<NodeLock> {
  const { signal } = options;
  const place = {
    name: remote.node,
    use: 'is shipping to it',
    take: async (text: string) => {
      // Its answer is waited for, also after a Ctrl-C: nobody would know that the node is ours.
      const held = await tryLock(remote, text);
      if (held === undefined && signal.aborted) await unlock(remote, text);
      signal.throwIfAborted();
      return held;
    },
    remove: (text: string) => removeLock(remote, 'take-over', text),
  };
  const holder = await takeLock(place, self, options);
  return heldLock(remote, holder, options.removesFolder === true);
}

/** @returns undefined when we have it, else what the lock says */
async function tryLock(remote: Remote, holder: string): Promise<LockState | undefined> {
  // The folder may be crossed, not listed: the SSH user writes below it.
  const script = `mkdir -p "$1" && chmod 0711 "$1" || exit 1
umask 077
( set -C; printf '%s\\n' "$3" > "$2" ) 2>/dev/null && exit 0
[ -e "$2" ] || { printf '%s\\n' "$3" > "$2.try" && rm -f "$2.try" && exit ${HELD}; exit 1; }
printf '%s\\n' "$(head -n 1 "$2")"; stat -c %y "$2"; exit ${HELD}`;
  const argv: Argv = ['sh', '-c', script, 'lock', NODE_FOLDER, LOCK, holder];
  const { code, stdout } = await remote.run(argv, { sudo: true, accept: [HELD] });
  const [text = '', beat = ''] = stdout.split('\n');
  return code === 0 ? undefined : { text, beat };
}

function heldLock(remote: Remote, holder: Holder, mayGo: boolean): NodeLock {
  const lost = new AbortController();
  // Never makes the file: it may be removed between the two.
  const own = `grep -qsF "$2" "$1" && touch -c "$1"`;
  const script = mayGo ? `${own} || [ ! -e "$1" ] || exit ${LOST}` : `${own} || exit ${LOST}`;
  const touch = async (): Promise<void> => {
    const argv: Argv = ['sh', '-c', script, 'beat', LOCK, holder.id];
    const { code } = await remote.run(argv, { sudo: true, accept: [LOST] });
    if (code === LOST) lost.abort(overtaken(remote.node));
  };
  let underWay: Promise<void> = Promise.resolve();
  const beat = setInterval(() => {
    // A lost connection fails the step that is under way, with a better message.
    underWay = touch().catch(() => undefined);
  }, HEARTBEAT);
  beat.unref();
  lost.signal.addEventListener('abort', () => clearInterval(beat));
  let kept = false;
  return {
    lost: lost.signal,
    keep: () => {
      kept = true;
    },
    confirm: async () => {
      await touch();
      lost.signal.throwIfAborted();
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(beat);
      await underWay;
      if (!kept) await unlock(remote, JSON.stringify(holder)).catch(() => undefined);
    },
  };
}

function unlock(remote: Remote, text: string): Promise<void> {
  return removeLock(remote, 'unlock', text, NODE_FOLDER);
}

/** The lock of a node, for whoever does not want it. Its methods throw as `Remote.run`. */
export function nodeLockFound(remote: Remote, signal: AbortSignal): FoundLock {
  const script = `[ -e "$1" ] || exit ${HELD}; printf '%s\\n' "$(head -n 1 "$1")"; stat -c %y "$1"`;
  return {
    name: remote.node,
    read: async () => {
      const argv: Argv = ['sh', '-c', script, 'look', LOCK];
      const { code, stdout } = await remote.run(argv, { sudo: true, signal, accept: [HELD] });
      const [text = '', beat = ''] = stdout.split('\n');
      return code === HELD ? undefined : { text, beat };
    },
    remove: (text) => removeLock(remote, 'take-over', text),
  };
}

/**
 * Removes a lock only while it still says what was read, an empty file among them. It is moved aside
 * first, which one of several does: between a look at it and its removal it may be another one's, and
 * is put back then.
 *
 * @param folder to be removed with it, when it is empty
 */
async function removeLock(
  remote: Remote,
  why: 'take-over' | 'unlock',
  text: string,
  ...folder: readonly string[]
): Promise<void> {
  const script = `is_it() { [ "$(head -n 1 "$1" 2>/dev/null)" = "$2" ]; }
if is_it "$1" "$2" && mv "$1" "$1.$$" 2>/dev/null; then
  is_it "$1.$$" "$2" || ln "$1.$$" "$1" 2>/dev/null
  rm -f "$1.$$"
fi
[ $# -lt 3 ] || rmdir "$3" 2>/dev/null; true`;
  await remote.run(['sh', '-c', script, why, LOCK, text, ...folder], { sudo: true });
}
