import {
  HEARTBEAT,
  overtaken,
  STILL,
  takeLock,
  type FoundLock,
  type LockOptions,
  type LockPlace,
  type LockState,
  type Self,
} from '../core/lock.ts';
import { untilAnswered } from '../core/wait.ts';

/** A lease as the cluster has it. */
export interface Lease {
  /** Who holds it, as we wrote it; empty when nobody does, or someone of another kind. */
  readonly text: string;
  /** Changes with every write to it. */
  readonly version: string;
}

/** Leases of a cluster. Each write names the version it was made for and loses to any other. */
export interface Leases {
  read(namespace: string, name: string): Promise<Lease | undefined>;
  /**
   * Makes a lease, or renews the one of `version`.
   *
   * @returns its new version; undefined when someone else was faster
   */
  write(
    namespace: string,
    name: string,
    text: string,
    version: string | undefined,
  ): Promise<string | undefined>;
  /** Removes the lease of `version`; no other. */
  remove(namespace: string, name: string, version: string): Promise<void>;
}

export interface LeaseOptions extends LockOptions {
  /** The same leases for giving ours back: after a Ctrl-C those of the run answer nothing any more. */
  readonly closing: () => Pick<Leases, 'read' | 'remove'>;
}

/** One rollout at a time for each release. */
export interface HeldLease extends AsyncDisposable {
  /** Aborted with ShipError `locked` when someone took the lease over. */
  readonly lost: AbortSignal;
  /**
   * To be called before every change. It returns at once while nobody can have taken the lease over; else
   * it renews it first: after the API server was away, whoever was not may be rolling out.
   *
   * @throws ShipError `locked` when someone took it over, `network` when that cannot be known
   */
  readonly confirm: () => Promise<void>;
}

/** Both clocks, in milliseconds: one stands still while the machine sleeps, people set the other. */
interface Instant {
  readonly awake: number;
  readonly wall: number;
}

/** Milliseconds after a heartbeat in which nobody takes the lease over, nor a call that is under way. */
const SURE = STILL - HEARTBEAT;

/**
 * Takes the lease of a release against every other deploy and rollback of this cluster, and renews it
 * every ten seconds. The rules of taking over are those of every lock (design §8).
 *
 * @throws ShipError `locked` naming the holder; `network`, `identity`
 */
export async function leaseRelease(
  leases: Leases,
  { namespace, name: release }: { readonly namespace: string; readonly name: string },
  self: Self,
  options: LeaseOptions,
): Promise<HeldLease> {
  const name = leaseName(release);
  let version: string | undefined;
  let renewed = instant();
  const place: LockPlace = {
    name: `release ${release}`,
    use: 'is rolling out',
    take: async (text) => {
      renewed = instant();
      version = await leases.write(namespace, name, text, undefined);
      return version === undefined ? stateOf(await leases.read(namespace, name)) : undefined;
    },
    remove: (text) => leaseFound(leases, { namespace, name: release }).remove(text),
  };
  const text = JSON.stringify(await takeLock(place, self, options));
  const lost = new AbortController();
  const beat = async (): Promise<void> => {
    // Without a version of ours it would make the lease anew that somebody else has given back.
    if (lost.signal.aborted) return;
    // Others may see it from now on, and not only when we hear that it was written.
    const began = instant();
    version = (await leases.write(namespace, name, text, version)) ?? (await ownVersion());
    if (version !== undefined) {
      if (began.awake >= renewed.awake) renewed = began;
      return;
    }
    clearInterval(timer);
    lost.abort(overtaken(place.name));
  };
  /** A write whose answer was lost has changed the version all the same. */
  const ownVersion = async (): Promise<string | undefined> => {
    const found = await leases.read(namespace, name);
    return found?.text === text ? found.version : undefined;
  };
  // An API server that does not answer fails the step that is under way, with a better message.
  let underWay: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    underWay = beat().catch(() => undefined);
  }, HEARTBEAT);
  timer.unref();
  const renew = async (): Promise<void> => {
    // The beat of the timer may still wait for an answer that never comes.
    const own = beat();
    underWay = Promise.allSettled([underWay, own]).then(() => undefined);
    await own;
  };
  return {
    lost: lost.signal,
    confirm: async () => {
      if (since(renewed) >= SURE) {
        const mend = async (): Promise<void> => undefined;
        await untilAnswered(renew, { timeout: HEARTBEAT, signal: options.signal, mend });
      }
      lost.signal.throwIfAborted();
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      // It would change the version after it was read, and the lease would stay behind.
      await underWay;
      const own = leaseFound(options.closing(), { namespace, name: release });
      await own.remove(text).catch(() => undefined);
    },
  };
}

/** The lease of a release, for whoever does not want it. Its methods throw as `leases`. */
export function leaseFound(
  leases: Pick<Leases, 'read' | 'remove'>,
  { namespace, name: release }: { readonly namespace: string; readonly name: string },
): FoundLock {
  const name = leaseName(release);
  return {
    name: `release ${release}`,
    read: async () => {
      const found = await leases.read(namespace, name);
      return found === undefined || found.text === '' ? undefined : stateOf(found);
    },
    remove: async (text) => {
      const found = await leases.read(namespace, name);
      if (found?.text === text) await leases.remove(namespace, name, found.version);
    },
  };
}

function instant(): Instant {
  return { awake: performance.now(), wall: Date.now() };
}

/** The longer of both: a clock that was set forward costs one renewal, a sleep unseen the cluster. */
function since({ awake, wall }: Instant): number {
  return Math.max(performance.now() - awake, Date.now() - wall);
}

function leaseName(release: string): string {
  return `ciliumship-${release}`;
}

/** A lease that vanished between two looks is nobody's: the next try gets it. */
function stateOf(found: Lease | undefined): LockState {
  return { text: found?.text ?? '', beat: found?.version ?? '' };
}
