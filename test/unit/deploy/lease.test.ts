import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ShipError, toShipError } from '../../../src/core/errors.ts';
import type { Self } from '../../../src/core/lock.ts';
import { leaseRelease, type Leases } from '../../../src/deploy/lease.ts';

const RELEASE = { namespace: 'kube-system', name: 'cilium' };
const SELF: Self = {
  holder: { machine: 'boot-1', host: 'here', pid: 7, user: 'ann' },
  isAlive: (pid) => pid === 7,
};
const OTHER = { id: 'x', machine: 'boot-2', host: 'there', pid: 9, user: 'bob' };

/** Leases in memory, with versions that grow as those of an API server do. */
function memory(holder?: object) {
  let version = 0;
  let lease = holder && { text: JSON.stringify(holder), version: '0' };
  let silent = false;
  let beats = 0;
  const leases: Leases = {
    read: async () => lease,
    write: async (_, __, text, known) => {
      if (silent) throw new ShipError('network', 'no answer');
      beats += 1;
      if (lease?.version !== known) return undefined;
      version += 1;
      lease = { text, version: String(version) };
      return lease.version;
    },
    remove: async (_, __, known) => {
      if (lease?.version === known) lease = undefined;
    },
  };
  const seize = (by: object): void => {
    version += 1;
    lease = { text: JSON.stringify(by), version: String(version) };
  };
  const free = (): void => {
    lease = undefined;
  };
  const silence = (on: boolean): void => {
    silent = on;
  };
  return { leases, seize, free, silence, now: () => lease, beats: () => beats };
}

function take({ leases }: { readonly leases: Leases }, wait = 0, notes: string[] = []) {
  const { signal } = new AbortController();
  const note = (text: string): void => void notes.push(text);
  const closing = (): Leases => leases;
  return leaseRelease(leases, RELEASE, SELF, { wait, signal, note, closing });
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('F44, D19: the lease of a release', () => {
  test('is given back after a Ctrl-C, when the calls of the run end at once', async () => {
    const cluster = memory();
    const run = new AbortController();
    const ofRun: Leases = {
      ...cluster.leases,
      read: async (...place) => {
        run.signal.throwIfAborted();
        return cluster.leases.read(...place);
      },
    };
    const { signal } = run;
    const options = { wait: 0, signal, note: () => undefined, closing: () => cluster.leases };
    const held = await leaseRelease(ofRun, RELEASE, SELF, options);
    run.abort();
    await held[Symbol.asyncDispose]();
    expect(cluster.now()).toBeUndefined();
  });

  test('is taken when nobody has it, renewed, and given back', async () => {
    const cluster = memory();
    const held = await take(cluster);
    expect(cluster.now()?.text).toContain('"user":"ann"');
    const before = cluster.now()?.version;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(cluster.now()?.version).not.toBe(before);
    await held[Symbol.asyncDispose]();
    expect(cluster.now()).toBeUndefined();
  });

  test('is refused while someone else holds it, by name', async () => {
    await expect(take(memory(OTHER))).rejects.toMatchObject({
      kind: 'locked',
      message: 'release cilium: bob@there (process 9) is rolling out',
      hint: expect.stringContaining('--lock-wait'),
    });
  });

  test('is taken over from a dead process of this machine, and said so', async () => {
    const notes: string[] = [];
    const cluster = memory({ ...OTHER, machine: 'boot-1' });
    await take(cluster, 0, notes);
    expect(notes).toEqual([
      'release cilium: took over the lock of bob@there (process 9), which is gone',
    ]);
    expect(cluster.now()?.text).toContain('"user":"ann"');
  });

  test('is taken over after it stood still for 30 s of watching, whatever clocks say', async () => {
    const taking = take(memory(OTHER), 60_000);
    await vi.advanceTimersByTimeAsync(31_000);
    await expect(taking).resolves.toBeDefined();
  });

  test('is never taken over while it is renewed', async () => {
    const cluster = memory(OTHER);
    const timer = setInterval(() => cluster.seize(OTHER), 10_000);
    const kind = take(cluster, 60_000).then(
      () => 'taken',
      (error: unknown) => toShipError(error).kind,
    );
    await vi.advanceTimersByTimeAsync(62_000);
    expect(await kind).toBe('locked');
    clearInterval(timer);
  });

  test('ends the run whose lease someone took over, and is left to the new holder', async () => {
    const cluster = memory();
    const held = await take(cluster);
    cluster.seize(OTHER);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(held.lost.reason).toMatchObject({ kind: 'locked' });
    await held[Symbol.asyncDispose]();
    expect(cluster.now()?.text).toContain('bob');
  });

  test('is not made again by who lost it, when the new holder has given it back', async () => {
    const cluster = memory();
    const held = await take(cluster);
    cluster.seize(OTHER);
    await vi.advanceTimersByTimeAsync(10_000);
    cluster.free();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(cluster.now()).toBeUndefined();
    await held[Symbol.asyncDispose]();
    expect(cluster.now()).toBeUndefined();
  });

  test('outlives an API server that does not answer for a while', async () => {
    const cluster = memory();
    const held = await take(cluster);
    cluster.silence(true);
    await vi.advanceTimersByTimeAsync(60_000);
    cluster.silence(false);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(held.lost.aborted).toBe(false);
  });

  test('is renewed before a change, when others may have taken it over since the last beat', async () => {
    const cluster = memory();
    const held = await take(cluster);
    cluster.silence(true);
    await vi.advanceTimersByTimeAsync(35_000);
    cluster.silence(false);
    const before = cluster.beats();
    await held.confirm();
    expect(cluster.beats()).toBe(before + 1);
    await held.confirm();
    expect(cluster.beats()).toBe(before + 1);
  });

  test('that was taken over meanwhile lets no change go out, long before the next beat', async () => {
    const cluster = memory();
    const held = await take(cluster);
    cluster.silence(true);
    await vi.advanceTimersByTimeAsync(31_000);
    cluster.seize(OTHER);
    cluster.silence(false);
    await expect(held.confirm()).rejects.toMatchObject({ kind: 'locked' });
    expect(held.lost.aborted).toBe(true);
    expect(cluster.now()?.text).toContain('bob');
    await expect(held.confirm()).rejects.toMatchObject({ kind: 'locked' });
  });

  test('that was taken over while this machine slept lets no change go out when it wakes up', async () => {
    const cluster = memory();
    const held = await take(cluster);
    // Neither timers nor the monotonic clock go on in a suspended machine.
    vi.setSystemTime(Date.now() + 300_000);
    cluster.seize(OTHER);
    await expect(held.confirm()).rejects.toMatchObject({ kind: 'locked' });
    expect(cluster.now()?.text).toContain('bob');
  });

  test('is renewed once where somebody set the clock, and works on', async () => {
    const cluster = memory();
    const held = await take(cluster);
    vi.setSystemTime(Date.now() + 300_000);
    const before = cluster.beats();
    await held.confirm();
    await held.confirm();
    expect(cluster.beats()).toBe(before + 1);
    vi.setSystemTime(Date.now() - 600_000);
    await held.confirm();
    expect(cluster.beats()).toBe(before + 1);
    await vi.advanceTimersByTimeAsync(9_000);
    await held[Symbol.asyncDispose]();
  });

  test('that cannot be renewed lets no change go out', async () => {
    const cluster = memory();
    const held = await take(cluster);
    cluster.silence(true);
    await vi.advanceTimersByTimeAsync(35_000);
    const tried = held.confirm().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await tried).toMatchObject({ kind: 'network' });
    expect(held.lost.aborted).toBe(false);
  });
});
