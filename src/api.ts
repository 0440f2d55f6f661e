import { extname, join } from 'node:path';
import { runProcess } from './system/process.ts';

export { findConfig, loadConfig } from './config/load.ts';
export type { Config } from './config/normalise.ts';
export { jsonSchema } from './config/validate.ts';
export { exitCode, ShipError, type ErrorKind } from './core/errors.ts';
export type { Node } from './core/node.ts';
export { VERSION } from './core/version.ts';
export type { Event } from './output/event.ts';
export { receiptSchema } from './output/receipt/schema.ts';

/** How a command ended. */
export interface CommandResult {
  /** As in docs/exit-codes.md. */
  readonly exitCode: number;
  /**
   * What it prints with `-o json`; undefined when it printed nothing, and the text itself of what
   * prints text whatever it is asked for: `--help`, `completion bash`.
   */
  readonly data: unknown;
  /** Progress, and the error with its next command. */
  readonly stderr: string;
}

export interface CommandOptions {
  /** Folder that paths count from, and where the config is looked for. */
  readonly cwd?: string;
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Ends the command, which then cleans up. */
  readonly signal?: AbortSignal;
  /** Each line of progress as it appears. */
  readonly onLine?: (line: string) => void;
}

const ANY = [-1, ...Array.from({ length: 255 }, (_, index) => index + 1)];

/**
 * Runs a command in a process of its own, so that signals, locks and clean-up are as when it is
 * typed: `await runCommand(['push', '--no-build'])`. A command that fails throws nothing: its exit
 * code says of which class the failure is.
 *
 * @param words what is typed after `ciliumship`
 * @throws ShipError `interrupted` when the signal ended it
 */
export async function runCommand(
  words: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const cli = join(import.meta.dirname, `cli${extname(import.meta.filename)}`);
  const argv = [process.execPath, cli, ...words, '-o', 'json'] as const;
  const { code, stdout, stderr } = await runProcess(argv, { ...options, accept: ANY });
  return { exitCode: code, data: readData(stdout), stderr };
}

function readData(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
