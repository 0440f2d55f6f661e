import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ShipError } from '../core/errors.ts';
import type { Argv, Remote } from '../core/remote.ts';
import { NODE_FOLDER } from '../facts/node-paths.ts';

/** Who holds a lock. `machine` tells one start of one machine from every other. */
export interface Holder {
  readonly id: string;
  readonly machine: string;
  readonly host: string;
  readonly pid: number;
  readonly user: string;
}

/** What locking needs to know of this machine. */
export interface Self {
  readonly holder: Omit<Holder, 'id'>;
  /** True when a process of this machine lives. */
  readonly isAlive: (pid: number) => boolean;
}

export interface LockOptions {
  /** Milliseconds to wait for a lock that someone holds. */
  readonly wait: number;
  readonly signal: AbortSignal;
  /** Told when a lock of a holder that is gone is taken over. */
  readonly note: (text: string) => void;
}

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

/** What a lock file says and when it was last touched; both may be empty. */
interface LockState {
  readonly text: string;
  readonly beat: string;
}

const LOCK = `${NODE_FOLDER}/lock`;
const HELD = 75;
const LOST = 76;
const HEARTBEAT = 10_000;
/** A heartbeat that stands still for this long is a holder's that is gone. */
const STILL = 30_000;
const PAUSE = 1_000;

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
  const holder: Holder = { ...self.holder, id: randomBytes(8).toString('hex') };
  const started = Date.now();
  let seen: (LockState & { readonly at: number }) | undefined;
  for (;;) {
    const state = await tryLock(remote, holder, options.signal);
    if (state === undefined) return heldLock(remote, holder.id);
    if (seen?.text !== state.text || seen.beat !== state.beat) seen = { ...state, at: Date.now() };
    const other = parseHolder(state.text);
    if (isDead(other, self) || Date.now() - seen.at >= STILL) {
      options.note(`${remote.node}: took over the lock of ${describe(other)}, which is gone`);
      await removeLock(remote, state.text);
      if ((await tryLock(remote, holder, options.signal)) === undefined) {
        return heldLock(remote, holder.id);
      }
    }
    if (Date.now() - started >= options.wait) throw locked(remote.node, other);
    await sleep(PAUSE, undefined, { signal: options.signal });
  }
}

/** @returns undefined when we have it, else what the lock says */
async function tryLock(
  remote: Remote,
  holder: Holder,
  signal: AbortSignal,
): Promise<LockState | undefined> {
  // The folder may be crossed, not listed: the SSH user writes below it.
  const script = `mkdir -p "$1" && chmod 0711 "$1" || exit 1
umask 077
( set -C; printf '%s\\n' "$3" > "$2" ) 2>/dev/null && exit 0
[ -e "$2" ] || { printf '%s\\n' "$3" > "$2.try" && rm -f "$2.try" && exit ${HELD}; exit 1; }
printf '%s\\n' "$(head -n 1 "$2")"; stat -c %y "$2"; exit ${HELD}`;
  const argv: Argv = ['sh', '-c', script, 'lock', NODE_FOLDER, LOCK, JSON.stringify(holder)];
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

/** Removes a lock only while it still says what was read, an empty file among them. */
async function removeLock(remote: Remote, text: string): Promise<void> {
  const script = '[ "$(head -n 1 "$1" 2>/dev/null)" = "$2" ] && rm -f "$1"; true';
  await remote.run(['sh', '-c', script, 'take-over', LOCK, text], { sudo: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

function isDead(other: Holder | undefined, self: Self): boolean {
  return other?.machine === self.holder.machine && !self.isAlive(other.pid);
}

function describe(holder: Holder | undefined): string {
  return holder === undefined ? 'someone' : `${holder.user}@${holder.host} (process ${holder.pid})`;
}

function locked(node: string, holder: Holder | undefined): ShipError {
  return new ShipError('locked', `${node}: ${describe(holder)} is shipping to it`, {
    hint: 'wait for it: add --lock-wait 5m; a holder that is gone is noticed after 30 s of waiting',
    retryable: true,
  });
}

function overtaken(node: string): ShipError {
  return new ShipError('locked', `${node}: someone took our lock over while we stood still`, {
    hint: 'run the same command again',
    retryable: true,
  });
}
