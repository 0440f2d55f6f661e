import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { HEARTBEAT, type Self } from '../../../src/core/lock.ts';
import type { Remote } from '../../../src/core/remote.ts';
import { NODE_FOLDER } from '../../../src/facts/node-paths.ts';
import { lockNode, nodeLockFound } from '../../../src/import/lock.ts';
import { localNode, type LocalNode } from '../../support/local-node.ts';

/** The commands of a lock as a shell really runs them, with somebody else at work between two of them. */

const SELF: Self = {
  holder: { machine: 'boot-1', host: 'here', pid: 7, user: 'ann' },
  isAlive: (pid) => pid === 7,
};
const DEAD = JSON.stringify({ id: 'x', machine: 'boot-1', host: 'here', pid: 9, user: 'bob' });
const LIVING = JSON.stringify({ id: 'y', machine: 'boot-2', host: 'there', pid: 9, user: 'eve' });

let node: LocalNode;
let file: string;
beforeEach(() => {
  node = localNode();
  file = node.at(`${NODE_FOLDER}/lock`);
});

/** @param before called with each command before it runs, by its name */
function remoteOf(before: (name: string) => void = () => undefined): Remote {
  return {
    node: 'worker',
    run: async (argv, options = {}) => {
      options.signal?.throwIfAborted();
      before(argv[3] ?? '');
      const finished = node.run(argv);
      if (finished.code !== 0 && options.accept?.includes(finished.code) !== true)
        throw new Error(`${argv[3]}: ${finished.code} ${finished.stderr}`);
      return finished;
    },
  };
}

function lock(remote: Remote, controller = new AbortController()) {
  return lockNode(remote, SELF, { wait: 0, signal: controller.signal, note: () => undefined });
}

const leave = (text: string): void => writeFileSync(file, `${text}\n`);

describe('a lock on the disk of a node', () => {
  test('says who holds it, and is gone when it was given back', async () => {
    const held = await lock(remoteOf());
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ user: 'ann', pid: 7 });
    await held[Symbol.asyncDispose]();
    expect(existsSync(file)).toBe(false);
  });

  test('D19: is not removed when it is another one’s since it was looked at', async () => {
    leave(LIVING);
    await nodeLockFound(remoteOf(), new AbortController().signal).remove(DEAD);
    expect(readFileSync(file, 'utf8')).toBe(`${LIVING}\n`);
  });

  test('D19: is put back when it became another one’s while it was removed', async () => {
    leave(DEAD);
    // Somebody faster removes it and takes the node between our look at it and its removal.
    node.program('mv', `printf '%s\\n' '${LIVING}' > '${file}'; exec /bin/mv "$@"`);
    await expect(lock(remoteOf())).rejects.toMatchObject({ kind: 'locked' });
    expect(readFileSync(file, 'utf8')).toBe(`${LIVING}\n`);
  });

  test('is taken over from a dead process, and nothing else is left', async () => {
    leave(DEAD);
    await using held = await lock(remoteOf());
    expect(held.lost.aborted).toBe(false);
    expect(readFileSync(file, 'utf8')).toContain('"pid":7');
    expect(existsSync(`${file}.try`)).toBe(false);
  });

  test('F60: of a ciliumship that did not say its version is read and taken over', async () => {
    leave(JSON.stringify({ id: 'z', machine: 'boot-1', host: 'here', pid: 5, user: 'old' }));
    await using held = await lock(remoteOf());
    expect(held.lost.aborted).toBe(false);
  });

  test('F7: is given back when the command was interrupted before its answer came', async () => {
    const controller = new AbortController();
    const interrupting = remoteOf((name) => {
      if (name === 'lock') controller.abort(new Error('interrupted'));
    });
    await expect(lock(interrupting, controller)).rejects.toThrow('interrupted');
    expect(existsSync(file)).toBe(false);
  });
});

describe('a lock whose folder its holder removes', () => {
  const options = { wait: 0, note: () => undefined, removesFolder: true };
  const { signal } = new AbortController();

  test('F48: is not lost with the folder, as in a reset that takes longer than a heartbeat', async () => {
    await using held = await lockNode(remoteOf(), SELF, { ...options, signal });
    rmSync(dirname(file), { recursive: true });
    await held.confirm();
    expect(held.lost.aborted).toBe(false);
    expect(existsSync(dirname(file))).toBe(false);
  });

  test('D19: is lost when another one’s lies there', async () => {
    await using held = await lockNode(remoteOf(), SELF, { ...options, signal });
    leave(LIVING);
    await expect(held.confirm()).rejects.toMatchObject({ kind: 'locked' });
  });

  test('D19: that nobody removes on purpose is lost when it is gone', async () => {
    await using held = await lock(remoteOf());
    rmSync(file);
    await expect(held.confirm()).rejects.toMatchObject({ kind: 'locked' });
  });
});

describe('the heartbeat of a lock', () => {
  test('is seen by whoever watches', async () => {
    await using held = await lock(remoteOf());
    utimesSync(file, 0, 0);
    await held.confirm();
    expect(statSync(file).mtimeMs).toBeGreaterThan(0);
  });

  test('makes no lock where it was removed between its look and its touch', async () => {
    await using held = await lock(remoteOf());
    node.program('touch', `rm -f '${file}'; exec /usr/bin/touch "$@"`);
    await held.confirm().catch(() => undefined);
    expect(existsSync(file)).toBe(false);
  });

  test('D19: says that the lock is lost, and that of who has it now stays', async () => {
    const held = await lock(remoteOf());
    leave(LIVING);
    await expect(held.confirm()).rejects.toMatchObject({ kind: 'locked' });
    expect(held.lost.reason).toMatchObject({ kind: 'locked' });
    await held[Symbol.asyncDispose]();
    expect(readFileSync(file, 'utf8')).toBe(`${LIVING}\n`);
  });

  test('that is under way is waited for when the lock is given back', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const order: string[] = [];
      const beating = Promise.withResolvers<void>();
      const quick = remoteOf();
      const slow: Remote = {
        ...quick,
        run: async (argv, options) => {
          if (argv[3] === 'beat') await beating.promise;
          order.push(argv[3] ?? '');
          return quick.run(argv, options);
        },
      };
      const held = await lock(slow);
      vi.advanceTimersByTime(HEARTBEAT);
      const given = held[Symbol.asyncDispose]();
      beating.resolve();
      await given;
      expect(order).toEqual(['lock', 'beat', 'unlock']);
      expect(existsSync(file)).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});
