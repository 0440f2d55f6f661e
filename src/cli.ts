#!/usr/bin/env node
import { CommanderError } from 'commander';
import { commands } from './commands/index.ts';
import { makeProgram } from './commands/program.ts';
import { run } from './commands/run.ts';
import { exitCode, ShipError } from './core/errors.ts';

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

/** `ciliumship … | head` closes our output early; that is no failure of ours. */
function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
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
  ignoreClosedOutput();
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
