import { describe, expect, test } from 'vitest';
import type { ShipError } from '../../../src/core/errors.ts';
import type { Self } from '../../../src/core/lock.ts';
import { lockNode } from '../../../src/import/lock.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';

const SELF: Self = {
  holder: { machine: 'boot-1', host: 'here', pid: 7, user: 'ann' },
  isAlive: (pid) => pid === 7 || pid === 8,
};
const OTHER = { id: 'other', machine: 'boot-2', host: 'there', pid: 9, user: 'bob' };

/** A node that is held by `holder` until its lock is removed. */
function heldBy(holder: object): FakeNode {
  let held = true;
  return fakeNode((command) => {
    if (command.includes('take-over')) held = false;
    const taking = command.includes('set -C');
    return taking && held ? { code: 75, stdout: `${JSON.stringify(holder)}\n2026-01-01\n` } : '';
  });
}

function lock(node: FakeNode, notes: string[] = [], wait = 0) {
  const { signal } = new AbortController();
  return lockNode(node, SELF, { wait, signal, note: (text) => notes.push(text) });
}

async function refusal(node: FakeNode): Promise<ShipError> {
  return lock(node).then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => error as ShipError,
  );
}

describe('the lock of a node', () => {
  test('is taken when nobody has it, and given back', async () => {
    const node = fakeNode();
    await using held = await lock(node);
    await held[Symbol.asyncDispose]();
    expect(node.asked.some((command) => command.includes('unlock'))).toBe(true);
  });

  test('F16: stays on the node when something of ours may still be at work there', async () => {
    const node = fakeNode();
    await using held = await lock(node);
    held.keep();
    await held[Symbol.asyncDispose]();
    expect(node.asked.some((command) => command.includes('unlock'))).toBe(false);
  });

  test('is refused while someone else holds it, by name, with what to do', async () => {
    const error = await refusal(heldBy(OTHER));
    expect(error.kind).toBe('locked');
    expect(error.message).toContain('bob@there (process 9)');
    expect(error.hint).toContain('--lock-wait');
  });

  test('F60: names the ciliumship of a holder when that is another one', async () => {
    expect((await refusal(heldBy({ ...OTHER, version: '9.9.9', more: {} }))).message).toContain(
      'bob@there (process 9, ciliumship 9.9.9)',
    );
    // Those before 0.1.0 did not say it.
    expect((await refusal(heldBy(OTHER))).message).toContain('bob@there (process 9) ');
  });

  test.each(['null', '7', '[]', '{"pid":{}}', '{"user":7}', 'x'.repeat(100_000)])(
    'F60: is refused when it says what no ciliumship writes (%#)',
    async (text) => {
      const node = fakeNode((command) =>
        command.includes('set -C') ? { code: 75, stdout: `${text}\n2026-01-01\n` } : '',
      );
      const error = await refusal(node);
      expect(error).toMatchObject({ kind: 'locked', message: 'worker: someone is shipping to it' });
    },
  );

  test('is refused while a living process of this machine holds it', async () => {
    expect((await refusal(heldBy({ ...OTHER, machine: 'boot-1', pid: 8 }))).kind).toBe('locked');
  });

  test('is taken over from a dead process of this machine, and said so', async () => {
    const notes: string[] = [];
    await lock(heldBy({ ...OTHER, machine: 'boot-1', pid: 9 }), notes);
    expect(notes).toEqual(['worker: took over the lock of bob@there (process 9), which is gone']);
  });

  test('is not spun on when its file cannot be read as a lock', async () => {
    const node = fakeNode((command) =>
      command.includes('set -C') ? { code: 75, stdout: '' } : '',
    );
    expect((await refusal(node)).kind).toBe('locked');
    expect(node.asked.length).toBeLessThan(4);
  });

  test('is not taken over because of a process id of another machine', async () => {
    expect((await refusal(heldBy({ ...OTHER, pid: 12345 }))).kind).toBe('locked');
  });
});

describe('a lock that was held without a connection', () => {
  function answering(code: number): FakeNode {
    return fakeNode((command) => (command.includes('beat') ? { code } : ''));
  }

  test('is confirmed by the node', async () => {
    await using held = await lock(answering(0));
    await expect(held.confirm()).resolves.toBeUndefined();
  });

  test('is lost for good when someone took it over meanwhile', async () => {
    await using held = await lock(answering(76));
    await expect(held.confirm()).rejects.toMatchObject({ kind: 'locked' });
    expect(held.lost.reason).toMatchObject({ kind: 'locked' });
  });
});
