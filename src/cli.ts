#!/usr/bin/env node
import { Command, CommanderError, type Option } from 'commander';
import { run } from './commands/run.ts';
import { commonOptions } from './commands/flags.ts';
import { commands } from './commands/index.ts';
import type { CommandSpec } from './commands/command.ts';
import { exitCode, ShipError } from './core/errors.ts';
import { VERSION } from './core/version.ts';

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

const ENVIRONMENT =
  'Every option can be set by an environment variable too: --json-events is CILIUMSHIP_JSON_EVENTS.';

function describeOption(option: Option): string {
  const choices = option.argChoices === undefined ? '' : ` (${option.argChoices.join(', ')})`;
  return `${option.description}${choices}`;
}

function addCommand(program: Command, spec: CommandSpec, signal: AbortSignal): void {
  const command = program.command(spec.name).summary(spec.summary).description(spec.description);
  command.exitOverride();
  for (const option of spec.options ?? []) command.addOption(option);
  command.optionsGroup('Common options:');
  for (const option of commonOptions()) command.addOption(option);
  const examples = spec.examples.map(([line, meaning]) => `  ${line}\n      ${meaning}`);
  command.configureHelp({ optionDescription: describeOption });
  command.addHelpText('after', `\nExamples:\n${examples.join('\n')}\n\n${ENVIRONMENT}`);
  command.action(async (flags) => {
    process.exitCode = await run(spec, flags, signal);
  });
}

function makeProgram(signal: AbortSignal): Command {
  const program = new Command('ciliumship')
    .description(
      'Builds a patched Cilium, ships only what changed to K3s nodes over SSH without a registry, ' +
        'proves on every node what arrived, and rolls it out so that what was built is what runs.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ optionDescription: describeOption })
    .exitOverride();
  for (const spec of commands) addCommand(program, spec, signal);
  return program;
}

/** `CILIUMSHIP_DRY_RUN=false` means no dry run; commander only looks whether a variable is set. */
function dropFalseVariables(): void {
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith('CILIUMSHIP_') && /^(|0|false|no)$/i.test(value ?? '')) {
      delete process.env[name];
    }
  }
}

async function main(): Promise<void> {
  ignoreClosedOutput();
  dropFalseVariables();
  const program = makeProgram(cancelOnSignals());
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : exitCode('usage');
  }
}

await main();
