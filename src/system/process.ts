import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { ShipError } from '../core/errors.ts';
import { lastLines } from '../core/text.ts';
import type { Argv, Finished } from '../core/remote.ts';

export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to our own environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  /** Piped to standard input, instead of `input`. */
  readonly source?: Readable;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Exit codes that are answers rather than failures; 0 always is. */
  readonly accept?: readonly number[];
  /** The error for a program that did not finish in time, instead of a `bug`. */
  readonly late?: () => ShipError;
  /** Each line of standard error as it arrives, for progress. */
  readonly onLine?: (line: string) => void;
  /** Where the lines of `onLine` come from; standard error when not given. */
  readonly linesOf?: 'stderr' | 'all';
  /** Also end what the program started, when it is late or interrupted: it would be waited for. */
  readonly withDescendants?: boolean;
}

const MAX_OUTPUT = 64 * 1024 * 1024;

/**
 * Runs a program of this machine to its end, without a shell.
 *
 * @throws ShipError `usage` when the program is not installed or may not be run, what the signal ended
 * it with, or `interrupted`; `bug` for any other exit code (callers that expect failures accept their codes and translate)
 */
export async function runProcess(argv: Argv, options: ProcessOptions = {}): Promise<Finished> {
  const [file, ...args] = argv;
  const input = options.source ?? options.input;
  const child = execa(file, args, {
    reject: false,
    stripFinalNewline: false,
    maxBuffer: MAX_OUTPUT,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    killDescendants: options.withDescendants === true,
    all: options.linesOf === 'all',
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
  const { onLine } = options;
  if (onLine !== undefined) {
    for await (const line of child.iterable({ from: options.linesOf ?? 'stderr' })) onLine(line);
  }
  const result = await child;
  if (result.isCanceled) throw canceled(file, options.signal);
  if (result.code === 'ENOENT') throw notInstalled(file, result.cause);
  if (result.code === 'EACCES') throw notExecutable(file, result.cause);
  if (result.timedOut && options.late !== undefined) throw options.late();
  const finished = { code: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
  if (finished.code === 0 || options.accept?.includes(finished.code)) return finished;
  throw new ShipError('bug', `${file} ${failure(finished.code, result.timedOut)}`, {
    details: lastLines(result.stderr, 20),
    cause: result,
  });
}

function failure(code: number, timedOut: boolean): string {
  if (timedOut) return 'did not finish in time';
  return code === -1 ? 'was ended by a signal' : `ended with exit code ${code}`;
}

/** A lock that was lost ends a program too, and says more than that it ended. */
function canceled(file: string, signal: AbortSignal | undefined): ShipError {
  const reason: unknown = signal?.reason;
  if (reason instanceof ShipError) return reason;
  return new ShipError('interrupted', `${file} was interrupted`);
}

function notExecutable(file: string, cause: unknown): ShipError {
  return new ShipError('usage', `${file} may not be run by you`, {
    hint: `see its rights: ls -l "$(command -v ${file})"`,
    cause,
  });
}

function notInstalled(file: string, cause: unknown): ShipError {
  return new ShipError('usage', `${file} is not installed on this machine`, {
    hint: `install ${file} and run the command again`,
    cause,
  });
}
