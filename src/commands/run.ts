import { loadConfig, findConfig } from '../config/load.ts';
import { exitCode, ShipError, toShipError } from '../core/errors.ts';
import { createRedactor } from '../core/redact.ts';
import { errorText } from '../output/error.ts';
import { EVENT_VERSION, jsonSink, logSink } from '../output/event.ts';
import { createOutput, type Output } from '../output/output.ts';
import { newLogFile } from '../system/folders.ts';
import type { AnyCommand } from './command.ts';
import type { CommonFlags } from './flags.ts';
import { withReceipt } from './shared/receipt.ts';

/** What was typed after the name of a command. */
export interface Typed {
  readonly args: readonly string[];
  readonly flags: CommonFlags;
  /** Where flags come from: `maxRate` → `--max-rate` or the variable that was set. */
  readonly origins?: ReadonlyMap<string, string>;
}

/**
 * Runs one command from what was typed to its exit code: log file, output, config, errors.
 *
 * @returns the exit code; nothing is thrown
 */
export async function run(spec: AnyCommand, typed: Typed, signal: AbortSignal): Promise<number> {
  const { flags } = typed;
  const started = performance.now();
  const opened = openOutput(flags);
  if (opened instanceof ShipError) {
    process.stderr.write(`${errorText(opened, undefined)}\n`);
    return exitCode(opened.kind);
  }
  const { output, logFile } = opened;
  output.emit({ event: 'run', version: EVENT_VERSION, command: spec.name });
  const code = await attempt(spec, typed, output, signal).then(
    () => 0,
    (error: unknown) =>
      report(toShipError(signal.aborted ? signal.reason : error), output, logFile),
  );
  output.emit({ event: 'end', exitCode: code, seconds: (performance.now() - started) / 1000 });
  return code;
}

interface OpenedOutput {
  readonly output: Output;
  readonly logFile: string;
}

/** Where to show and log things; what stands in the way of that is all that can be shown. */
function openOutput(flags: CommonFlags): OpenedOutput | ShipError {
  try {
    const logFile = newLogFile(new Date());
    return { output: outputFor(flags, logFile), logFile };
  } catch (error) {
    return toShipError(error);
  }
}

async function attempt(
  spec: AnyCommand,
  typed: Typed,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const context = { ...typed, output, signal };
  if ('runBare' in spec) return spec.runBare(context);
  const config = await loadConfig(await findConfig(typed.flags.config, process.cwd()));
  await withReceipt(spec, { ...context, config });
}

function report(error: ShipError, output: Output, logFile: string): number {
  const { kind, message, details, hint } = error;
  const said = { kind, message, details, ...(hint === undefined ? {} : { hint }) };
  output.emit({ event: 'error', ...said, text: errorText(error, undefined) });
  process.stderr.write(`${output.clean(errorText(error, logFile))}\n`);
  return exitCode(error.kind);
}

function outputFor(flags: CommonFlags, logFile: string): Output {
  const sinks = [logSink(logFile)];
  if (flags.jsonEvents !== undefined) sinks.push(jsonSink(flags.jsonEvents));
  return createOutput({
    mode: modeFor(flags),
    format: flags.output,
    sinks,
    redactor: createRedactor(process.env),
    commands: flags.printCommand === true,
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
  });
}

/** Live lines need a terminal that can move its cursor. */
function modeFor(flags: CommonFlags): Output['mode'] {
  if (flags.quiet === true) return 'quiet';
  const lines = flags.verbose === true || flags.printCommand === true;
  return process.stderr.isTTY && process.env['TERM'] !== 'dumb' && !lines ? 'tty' : 'plain';
}
