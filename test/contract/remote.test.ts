import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCode, ShipError } from '../../src/core/errors.ts';
import type { Remote, RemoteFiles } from '../../src/core/remote.ts';
import { failureOf } from '../support/docker-build.ts';
import { fakeNode, type Answer } from '../support/fake-node.ts';
import { missingPart, run } from '../support/parts.ts';
import { makeSshFiles } from '../support/ssh-files.ts';
import { SSHD, startSshd } from '../support/sshd.ts';

/** What stages rely on of a node, held by the fake of their tests and by a session over SSH. */
const missing = await missingPart('sshd', () => run(['test', '-x', SSHD]));
const noMount =
  missing ??
  (await missingPart('a tmpfs', () =>
    run(['unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']),
  ));

interface Held {
  readonly remote: Remote & RemoteFiles;
  /** A folder on the node that is empty at first. */
  readonly folder: string;
  /** A folder of 2 MB. */
  readonly small: string;
  read(path: string): Buffer;
  stop(): Promise<void>;
}

/** The commands of this suite, as a shell would answer them. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  'echo a b': 'a b\n',
  'sh -c echo out; echo err >&2; exit 3': { code: 3, stdout: 'out\n', stderr: 'err\n' },
  'sh -c seq 1 12 >&2; exit 1': {
    code: 1,
    stderr: Array.from({ length: 12 }, (_, index) => `${index + 1}\n`).join(''),
  },
};

async function openFake(): Promise<Held> {
  const remote = fakeNode((command) => ANSWERS[command], { '/small': 2_000_000 });
  const read = (path: string): Buffer => remote.files.get(path) ?? Buffer.alloc(0);
  return { remote, folder: '/folder', small: '/small', read, stop: async () => undefined };
}

async function openReal(): Promise<Held> {
  const files = makeSshFiles();
  const sshd = await startSshd(join(files.folder, 'node'));
  files.addHost('worker', sshd);
  const [folder, small] = [join(files.folder, 'folder'), join(files.folder, 'small')] as const;
  for (const path of [folder, small]) mkdirSync(path);
  if (noMount === undefined) {
    await run(['mount', '-t', 'tmpfs', '-o', 'size=2000000', 'tmpfs', small]);
  }
  const remote = await files.open('worker');
  return {
    remote,
    folder,
    small,
    read: (path) => readFileSync(path),
    stop: async () => {
      await remote[Symbol.asyncDispose]();
      if (noMount === undefined) await run(['umount', '-l', small]);
      await sshd.stop();
      files.remove();
    },
  };
}

describe.each([
  ['the fake', openFake, undefined, undefined],
  ['a session over SSH', openReal, missing, noMount],
] as const)('%s as a node', (_, open, skip, noSmall) => {
  describe.skipIf(skip !== undefined)('is held', () => {
    let held: Held;
    let remote: Remote & RemoteFiles;
    let paths = 0;
    beforeAll(async () => {
      held = await open();
      remote = held.remote;
    });
    afterAll(() => held.stop());

    const fresh = (): string => `${held.folder}/file-${(paths += 1)}`;

    test('runs a command', async () => {
      expect(await remote.run(['echo', 'a b'])).toEqual({ code: 0, stdout: 'a b\n', stderr: '' });
    });

    const exiting = ['sh', '-c', 'echo out; echo err >&2; exit 3'] as const;

    test('takes an accepted exit code for an answer', async () => {
      const ended = await remote.run(exiting, { accept: [3] });
      expect(ended).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
    });

    test('takes any other exit code for a failure of the node', async () => {
      const error = await failureOf(remote.run(exiting, { accept: [4] }));
      expect(error.message).toBe(`worker: ${exiting.join(' ')} ended with exit code 3`);
      expect(exitCode(error.kind)).toBe(8);
      expect(error.retryable).toBe(false);
      expect(error.details).toEqual(['err']);
    });

    test('keeps the last ten lines of a failure', async () => {
      const error = await failureOf(remote.run(['sh', '-c', 'seq 1 12 >&2; exit 1']));
      expect(error.details).toEqual(['3', '4', '5', '6', '7', '8', '9', '10', '11', '12']);
    });

    test('runs nothing after an abort, and gives its reason', async () => {
      const reason = new ShipError('interrupted', 'interrupted');
      const signal = AbortSignal.abort(reason);
      expect(await failureOf(remote.run(['echo', 'a b'], { signal }))).toBe(reason);
      const path = fresh();
      expect(await failureOf(remote.write(path, bytes('x'), { signal }))).toBe(reason);
      expect(await remote.size(path)).toBeUndefined();
    });

    test('gives the error of an input that fails', async () => {
      const broken = new ShipError('integrity', 'the store changed');
      expect(await failureOf(remote.run(['echo', 'a b'], { input: failing(broken) }))).toBe(broken);
    });

    test('writes a new file, whole, and counts what was acknowledged', async () => {
      const path = fresh();
      const content = randomBytes(1_300_000);
      const told: number[] = [];
      const size = await remote.write(path, bytes(content.subarray(0, 7), content.subarray(7)), {
        onAcknowledged: (count) => void told.push(count),
      });
      expect(size).toBe(content.length);
      expect(await remote.size(path)).toBe(content.length);
      expect(held.read(path).equals(content)).toBe(true);
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect(told.at(-1)).toBe(content.length);
    });

    test('writes no file where one is', async () => {
      const path = fresh();
      await remote.write(path, bytes('first'));
      const error = await failureOf(remote.write(path, bytes('second')));
      expect(error.message).toBe(`worker: cannot write ${path}: something is already there`);
      expect(exitCode(error.kind)).toBe(8);
      expect(held.read(path).toString()).toBe('first');
    });

    test('goes on with a file at an offset', async () => {
      const path = fresh();
      await remote.write(path, bytes('0123456789'));
      const told: number[] = [];
      const onAcknowledged = (count: number): void => void told.push(count);
      const size = await remote.write(path, bytes('ab', 'cd'), { start: 8, onAcknowledged });
      expect(size).toBe(12);
      expect(held.read(path).toString()).toBe('01234567abcd');
      expect(told.at(-1)).toBe(12);
    });

    test('leaves what arrived of a source that fails, and gives its error', async () => {
      const path = fresh();
      const broken = new ShipError('integrity', 'the store changed');
      expect(await failureOf(remote.write(path, failing(broken)))).toBe(broken);
      expect(await remote.size(path)).toBeDefined();
    });

    test('renames a file over another one', async () => {
      const [from, to] = [fresh(), fresh()];
      await remote.write(from, bytes('new'));
      await remote.write(to, bytes('old one'));
      await remote.rename(from, to);
      expect(held.read(to).toString()).toBe('new');
      expect(await remote.size(from)).toBeUndefined();
    });

    test('removes a file', async () => {
      const path = fresh();
      await remote.write(path, bytes('x'));
      await remote.remove(path);
      expect(await remote.size(path)).toBeUndefined();
    });

    test('says that a file is missing when it should be moved or removed', async () => {
      const path = fresh();
      for (const refused of [remote.remove(path), remote.rename(path, fresh())]) {
        const error = await failureOf(refused);
        expect(error.message).toBe(`worker: cannot write ${path}: no such file or folder`);
        expect(exitCode(error.kind)).toBe(8);
      }
    });

    test.skipIf(noSmall !== undefined)('says how much went on a full disk', async () => {
      const path = `${held.small}/big`;
      const error = await failureOf(remote.write(path, bytes(Buffer.alloc(4_000_000))));
      expect(exitCode(error.kind)).toBe(8);
      expect(error.message).toMatch(/refused after \d\.\d MB, 0\.0 MB free in its folder$/);
    });
  });
});

async function* bytes(...pieces: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
}

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half');
  throw error;
}
