import {
  HEARTBEAT,
  overtaken,
  takeLock,
  type FoundLock,
  type LockOptions,
  type LockState,
  type Self,
} from '../core/lock.ts';
import type { Argv, Remote } from '../core/remote.ts';
import { NODE_FOLDER } from '../facts/node-paths.ts';

export interface NodeLock extends AsyncDisposable {
  /** @throws ShipError `locked` when someone took the lock over because our heartbeat was not seen */
  requireHeld(): void;
  /**
   * Asks the node, as after a time without a connection.
   *
   * @throws ShipError `locked` as `requireHeld`, `network`
   */
  confirm(): Promise<void>;
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
  options: LockOptions,
): Promise<NodeLock> {
  const place = {
    name: remote.node,
    use: 'is shipping to it',
    take: (text: string) => tryLock(remote, text, options.signal),
    remove: (text: string) => removeLock(remote, text),
  };
  const { id } = await takeLock(place, self, options);
  return heldLock(remote, id);
}

/** @returns undefined when we have it, else what the lock says */
async function tryLock(
  remote: Remote,
  holder: string,
  signal: AbortSignal,
): Promise<LockState | undefined> {
  // The folder may be crossed, not listed: the SSH user writes below it.
  const script = `mkdir -p "$1" && chmod 0711 "$1" || exit 1
umask 077
( set -C; printf '%s\\n' "$3" > "$2" ) 2>/dev/null && exit 0
[ -e "$2" ] || { printf '%s\\n' "$3" > "$2.try" && rm -f "$2.try" && exit ${HELD}; exit 1; }
printf '%s\\n' "$(head -n 1 "$2")"; stat -c %y "$2"; exit ${HELD}`;
  const argv: Argv = ['sh', '-c', script, 'lock', NODE_FOLDER, LOCK, holder];
  const { code, stdout } = await remote.run(argv, { sudo: true, signal, accept: [HELD] });
  const [text = '', beat = ''] = stdout.split('\n');
  return code === 0 ? undefined : { text, beat };
}

function heldLock(remote: Remote, id: string): NodeLock {
  let lost = false;
  const script = `grep -qF "$2" "$1" && touch "$1" || exit ${LOST}`;
  const touch = async (): Promise<void> => {
    const argv: Argv = ['sh', '-c', script, 'beat', LOCK, id];
    const { code } = await remote.run(argv, { sudo: true, accept: [LOST] });
    lost ||= code === LOST;
  };
  const requireHeld = (): void => {
    if (lost) throw overtaken(remote.node);
  };
  // A lost connection fails the step that is under way, with a better message.
  const beat = setInterval(() => void touch().catch(() => undefined), HEARTBEAT);
  beat.unref();
  return {
    requireHeld,
    confirm: async () => {
      await touch();
      requireHeld();
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(beat);
      const release = `grep -qF "$2" "$1" 2>/dev/null && rm -f "$1"; rmdir "$3" 2>/dev/null; true`;
      const argv: Argv = ['sh', '-c', release, 'unlock', LOCK, id, NODE_FOLDER];
      await remote.run(argv, { sudo: true }).catch(() => undefined);
    },
  };
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
    remove: (text) => removeLock(remote, text),
  };
}

/** Removes a lock only while it still says what was read, an empty file among them. */
async function removeLock(remote: Remote, text: string): Promise<void> {
  const script = '[ "$(head -n 1 "$1" 2>/dev/null)" = "$2" ] && rm -f "$1"; true';
  await remote.run(['sh', '-c', script, 'take-over', LOCK, text], { sudo: true });
}
