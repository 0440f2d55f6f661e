import { CommanderError } from 'commander';
import { commands } from './commands/index.ts';
import { answerCompletion } from './commands/answer-completion.ts';
import { makeProgram } from './commands/program.ts';
import { run } from './commands/run.ts';
import { exitCode, ShipError, toShipError } from './core/errors.ts';
import { createRedactor } from './core/redact.ts';
import { ASK } from './output/completion.ts';
import { errorText } from './output/error.ts';

/** The first signal cancels and cleans up; the second leaves at once. */
function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  const leave = (kind: 'interrupted' | 'terminated'): void => {
    if (controller.signal.aborted) process.exit(exitCode(kind));
    controller.abort(new ShipError(kind, kind, { hint: 'run the same command to go on' }));
  };
  // `on`, not `once`: with `once` the second signal would end the process before clean-up is done.
  process.on('SIGINT', () => leave('interrupted'));
  process.on('SIGTERM', () => leave('terminated'));
  process.on('SIGHUP', () => leave('terminated'));
  return controller.signal;
}

/**
 * `ciliumship … | head` closes our output early; that is no failure of ours. A result that finds no
 * room is one, and where nobody hears of it the exit code says it (F58).
 */
function surviveLostOutput(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A pipe that was closed, and a terminal that went away, whose signal ends the run.
    if (error.code === 'EPIPE' || error.code === 'EIO') return;
    process.stderr.write(`the result could not be written: ${error.code}\n`);
    process.exitCode ||= exitCode('bug');
    process.once('exit', () => {
      process.exitCode ||= exitCode('bug');
    });
  });
}

/** An error that nobody waits for any more ends the run as any other bug: named, without secrets. */
function reportStrayErrors(): void {
  process.on('uncaughtException', (error) => {
    const text = errorText(toShipError(error), undefined);
    process.stderr.write(`${createRedactor(process.env).clean(text)}\n`);
    process.exit(exitCode('bug'));
  });
}

/** `CILIUMSHIP_DRY_RUN=false` means no dry run; commander only looks whether a variable is set. */
function dropFalseVariables(): void {
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith('CILIUMSHIP_') && /^(|0|false|no)$/i.test(value ?? '')) {
      delete process.env[name];
    }
  }
}

/** commander has said what is wrong with the words that were typed. */
function refuse(): void {
  process.exitCode = exitCode('usage');
  process.stderr.write(`exit ${process.exitCode}\n`);
}

async function main(): Promise<void> {
  surviveLostOutput();
  reportStrayErrors();
  if (process.argv[2] === ASK) return answerCompletion(process.argv.slice(3));
  dropFalseVariables();
  const signal = cancelOnSignals();
  const program = makeProgram(commands, async (spec, typed) => {
    process.exitCode = await run(spec, typed, signal);
  });
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) refuse();
  }
}

await main();
