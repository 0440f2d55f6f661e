import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ShipError } from './errors.ts';
import { VERSION } from './version.ts';

/** Who holds a lock. `machine` tells one start of one machine from every other. */
export interface Holder {
  readonly id: string;
  readonly machine: string;
  readonly host: string;
  readonly pid: number;
  readonly user: string;
  /** Of ciliumship; those before 0.1.0 did not say it. */
  readonly version?: string | undefined;
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

/** What a lock says, and what changes with each heartbeat of its holder; both may be empty. */
export interface LockState {
  readonly text: string;
  readonly beat: string;
}

/** Where a lock is kept. */
export interface LockPlace {
  /** For people, in front of every message: the name of a node. */
  readonly name: string;
  /** What someone does who holds it: `is shipping to it`. */
  readonly use: string;
  /** @returns undefined when `text` holds the lock now, else what it says */
  take(text: string): Promise<LockState | undefined>;
  /** Removes the lock only while it still says `text`. */
  remove(text: string): Promise<void>;
}

/** How often a holder touches its lock, in milliseconds. */
export const HEARTBEAT = 10_000;
/** A heartbeat that stands still for this long is a holder's that is gone. */
export const STILL = 30_000;
const PAUSE = 1_000;

/**
 * Takes a lock. It is taken over when its holder is a dead process of this machine, or its heartbeat
 * stood still while we watched; clocks are never compared (design §8).
 *
 * @returns what the lock says now
 * @throws ShipError `locked` naming the holder; what the place throws
 */
export async function takeLock(
  place: LockPlace,
  self: Self,
  options: LockOptions,
): Promise<Holder> {
  const holder = { ...self.holder, version: VERSION, id: randomBytes(8).toString('hex') };
  const own = JSON.stringify(holder);
  // Not the wall clock: a machine that slept would take a living holder for one that stood still.
  const started = performance.now();
  let seen: (LockState & { readonly at: number }) | undefined;
  for (;;) {
    const state = await place.take(own);
    if (state === undefined) return holder;
    if (seen?.text !== state.text || seen.beat !== state.beat)
      seen = { ...state, at: performance.now() };
    const other = parseHolder(state.text);
    if (isDead(other, self) || performance.now() - seen.at >= STILL) {
      options.note(`${place.name}: took over the lock of ${describeHolder(other)}, which is gone`);
      await place.remove(state.text);
      if ((await place.take(own)) === undefined) return holder;
    }
    if (performance.now() - started >= options.wait) throw locked(place, other);
    await sleep(PAUSE, undefined, { signal: options.signal });
  }
}

/** What can be read of a lock, and removed, by whoever does not want it. */
export interface FoundLock {
  /** For people: the name of a node, `release cilium`. */
  readonly name: string;
  /** @returns undefined when nobody holds it */
  read(): Promise<LockState | undefined>;
  /** Removes the lock only while it still says `text`. */
  remove(text: string): Promise<void>;
}

/**
 * Removes a lock whose holder is gone: a dead process of this machine, or one whose heartbeat stands
 * still while we watch.
 *
 * @param live also that of a holder who is still there; what he does stops at its next heartbeat
 * @param still milliseconds for which a heartbeat must stand still
 * @returns what it said; undefined when nobody held it
 * @throws ShipError `locked` naming the holder who is still there; what the lock throws
 */
export async function releaseLock(
  lock: FoundLock,
  self: Self,
  live: boolean,
  signal: AbortSignal,
  still: number = STILL,
): Promise<LockState | undefined> {
  const first = await lock.read();
  if (first === undefined) return undefined;
  const holder = parseHolder(first.text);
  if (!live && !isDead(holder, self)) {
    await sleep(still, undefined, { signal });
    const now = await lock.read();
    if (now === undefined) return undefined;
    if (now.text !== first.text || now.beat !== first.beat) throw stillThere(lock, now);
  }
  await lock.remove(first.text);
  return first;
}

/** The holder that a lock names, for people. */
export function holderOf(text: string): string {
  return describeHolder(parseHolder(text));
}

function stillThere({ name }: FoundLock, { text }: LockState): ShipError {
  return new ShipError('locked', `${name}: ${holderOf(text)} is still there`, {
    hint: 'wait for it with --lock-wait 5m; or end what it does: ciliumship lock release --live',
  });
}

const WORD = z.string().max(256);
const holderSchema = z.object({
  id: WORD,
  machine: WORD,
  host: WORD,
  pid: z.int(),
  user: WORD,
  version: WORD.optional(),
});

/** The holder that a lock names; undefined while it is being written, and for a text of anyone else. */
export function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** True for a process of this machine that has ended. */
export function isDead(other: Holder | undefined, self: Self): boolean {
  return other?.machine === self.holder.machine && !self.isAlive(other.pid);
}

/** `user@host (process 7)`, and its ciliumship when that is another one. */
export function describeHolder(holder: Holder | undefined): string {
  if (holder === undefined) return 'someone';
  const { user, host, pid, version } = holder;
  const other = version === undefined || version === VERSION ? '' : `, ciliumship ${version}`;
  return `${user}@${host} (process ${pid}${other})`;
}

function locked({ name, use }: LockPlace, holder: Holder | undefined): ShipError {
  return new ShipError('locked', `${name}: ${describeHolder(holder)} ${use}`, {
    hint: 'wait for it: add --lock-wait 5m; a holder that is gone is noticed after 30 s of waiting',
    retryable: true,
  });
}

/** The error of a holder whose lock was taken over. */
export function overtaken(name: string): ShipError {
  return new ShipError('locked', `${name}: someone took our lock over while we stood still`, {
    hint: 'run the same command again',
    retryable: true,
  });
}
