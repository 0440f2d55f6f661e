import { expect, test } from 'vitest';
import { releaseLock, type FoundLock, type Self } from '../../../src/core/lock.ts';

const SELF: Self = {
  holder: { machine: 'boot-1', host: 'here', pid: 7, user: 'ann' },
  isAlive: (pid) => pid === 8,
};
const BOB = { id: 'x', machine: 'boot-2', host: 'there', pid: 9, user: 'bob' };
const { signal } = new AbortController();

/** A lock of `holder`, whose heart beats between two looks or does not. */
function lockOf(holder: object, beats: boolean) {
  let looks = 0;
  let held = true;
  const text = JSON.stringify(holder);
  const lock: FoundLock = {
    name: 'worker',
    read: async () => {
      looks += beats ? 1 : 0;
      return held ? { text, beat: String(looks) } : undefined;
    },
    remove: async (known) => {
      held &&= known !== text;
    },
  };
  return { lock, isHeld: () => held };
}

function release(lock: FoundLock, live = false): Promise<unknown> {
  return releaseLock(lock, SELF, live, signal, 1);
}

test('a lock whose heartbeat stands still is released', async () => {
  const held = lockOf(BOB, false);
  expect(await release(held.lock)).toMatchObject({ beat: '0' });
  expect(held.isHeld()).toBe(false);
});

test('one of a process of this machine that ended is released at once', async () => {
  const held = lockOf({ ...BOB, machine: 'boot-1', pid: 5 }, true);
  await releaseLock(held.lock, SELF, false, signal);
  expect(held.isHeld()).toBe(false);
});

test('one of a holder who is still there is his, and he is named', async () => {
  const held = lockOf(BOB, true);
  await expect(release(held.lock)).rejects.toMatchObject({
    kind: 'locked',
    message: 'worker: bob@there (process 9) is still there',
  });
  expect(held.isHeld()).toBe(true);
});

test('unless somebody insists', async () => {
  const held = lockOf(BOB, true);
  await release(held.lock, true);
  expect(held.isHeld()).toBe(false);
});

test('a lock that nobody holds was free', async () => {
  const free: FoundLock = { ...lockOf(BOB, false).lock, read: async () => undefined };
  expect(await release(free)).toBeUndefined();
});
