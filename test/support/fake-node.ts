import { posix } from 'node:path';
import { ShipError } from '../../src/core/errors.ts';
import type {
  Finished,
  Remote,
  RemoteFiles,
  RunOptions,
  WriteOptions,
} from '../../src/core/remote.ts';
import { lastLines } from '../../src/core/text.ts';

/** A node that keeps files in memory, answers as it is told and remembers what it was asked. */
export interface FakeNode extends Remote, RemoteFiles {
  /** Every command and change of a file, in order: `sudo rm x`, `write x`, … */
  readonly asked: string[];
  readonly files: Map<string, Buffer>;
}

/** What a command comes to: its output, or an exit code with more. */
export type Answer = string | Partial<Finished> | Error;

/**
 * test/contract/remote.test.ts holds it to what a session over SSH does.
 *
 * @param answer called with the whole command; undefined is an empty success
 * @param room bytes that a folder takes before its disk is full; as many as you like when absent
 */
export function fakeNode(
  answer: (command: string, options: RunOptions) => Answer | undefined = () => undefined,
  room: Readonly<Record<string, number>> = {},
): FakeNode {
  const asked: string[] = [];
  const files = new Map<string, Buffer>();
  return {
    node: 'worker',
    asked,
    files,
    run: async (argv, options = {}) => {
      const command = argv.join(' ');
      options.signal?.throwIfAborted();
      asked.push(options.sudo === true ? `sudo ${command}` : command);
      await drain(options.input);
      return finish(command, answer(command, options) ?? '', options);
    },
    write: async (path, source, options = {}) => {
      options.signal?.throwIfAborted();
      asked.push(`write ${path}`);
      if (files.has(path) && !options.start) throw refused(path, 'something is already there');
      return fill(files, path, source, options, room[posix.dirname(path)]);
    },
    rename: async (from, to) => {
      asked.push(`rename ${from}`);
      files.set(to, existing(files, from));
      files.delete(from);
    },
    remove: async (path) => {
      asked.push(`remove ${path}`);
      existing(files, path);
      files.delete(path);
    },
    size: async (path) => files.get(path)?.length,
  };
}

/** What arrived stays, whatever happens after it. */
async function fill(
  files: Map<string, Buffer>,
  path: string,
  source: AsyncIterable<Uint8Array>,
  { start = 0, onAcknowledged, signal }: WriteOptions,
  room = Number.POSITIVE_INFINITY,
): Promise<number> {
  let bytes = Buffer.from(files.get(path)?.subarray(0, start) ?? []);
  files.set(path, bytes);
  for await (const piece of source) {
    signal?.throwIfAborted();
    const written = Buffer.concat([bytes, piece]);
    if (written.length > room) {
      const after = (bytes.length / 1e6).toFixed(1);
      throw refused(path, `refused after ${after} MB, 0.0 MB free in its folder`);
    }
    bytes = written;
    files.set(path, bytes);
    onAcknowledged?.(bytes.length);
  }
  return bytes.length;
}

function existing(files: ReadonlyMap<string, Buffer>, path: string): Buffer {
  const found = files.get(path);
  if (found === undefined) throw refused(path, 'no such file or folder');
  return found;
}

function refused(path: string, why: string): ShipError {
  return new ShipError('storage', `worker: cannot write ${path}: ${why}`);
}

async function drain(input: RunOptions['input']): Promise<void> {
  if (input === undefined || typeof input === 'string' || input instanceof Uint8Array) return;
  const source = input[Symbol.asyncIterator]();
  while ((await source.next()).done !== true);
}

/** As the real one: only an accepted exit code is an answer. */
function finish(command: string, answer: Answer, { accept = [] }: RunOptions): Finished {
  if (answer instanceof Error) throw answer;
  const more = typeof answer === 'string' ? { stdout: answer } : answer;
  const finished = { code: 0, stdout: '', stderr: '', ...more };
  if (finished.code === 0 || accept.includes(finished.code)) return finished;
  throw new ShipError('storage', `worker: ${command} ended with exit code ${finished.code}`, {
    details: lastLines(finished.stderr || finished.stdout, 10),
  });
}
