import { Command, Option } from 'commander';
import { VERSION } from '../core/version.ts';
import type { AnyCommand } from './command.ts';
import { commonOptions, hookOptions, optionMeaning } from './flags.ts';
import type { Typed } from './run.ts';

export type Act = (spec: AnyCommand, typed: Typed) => Promise<void>;

const ENVIRONMENT =
  'Every option can be set by an environment variable too: --json-events is CILIUMSHIP_JSON_EVENTS.';

/** On a narrow terminal too, words are kept whole. */
const HELP = { optionDescription: optionMeaning, minWidthToWrap: 20 };

/**
 * The command line, made from the commands as data.
 *
 * @param act runs the command that was typed
 */
export function makeProgram(commands: readonly AnyCommand[], act: Act): Command {
  const program = new Command('ciliumship')
    .description(
      'Builds a patched Cilium, ships only what changed to K3s nodes over SSH without a registry, ' +
        'proves on every node what arrived, and rolls it out so that what was built is what runs.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .helpCommand(false)
    .configureHelp(HELP);
  endWithHelp(program);
  for (const spec of commands) addCommand(program, spec, act);
  for (const group of program.commands) describeGroup(group);
  addHelpCommand(program);
  return program;
}

/** What has commands below it and does nothing by itself: `k3s`. */
function describeGroup(group: Command): void {
  if (group.summary() !== '') return;
  group.summary(group.commands.map((command) => command.name()).join(', '));
  group.description(`One of: ${group.commands.map((command) => command.name()).join(', ')}`);
}

/** commander's own prints everything for a name that it does not know. */
function addHelpCommand(program: Command): void {
  endWithHelp(program.command('help'))
    .summary('print the help of a command')
    .argument('[command...]', 'such as: k3s install')
    .action((words: readonly string[]) => {
      let at = program;
      for (const word of words) {
        const below = at.commands.find((command) => command.name() === word);
        // `error` never comes back.
        at = below ?? at.error(`error: unknown command '${words.join(' ')}'`);
      }
      at.outputHelp();
    });
}

function addCommand(program: Command, spec: AnyCommand, act: Act): void {
  const command = commandNamed(program, spec.name);
  command.summary(spec.summary).description(spec.description);
  for (const argument of spec.args ?? []) command.addArgument(argument);
  for (const option of [...(spec.options ?? []), ...hookOptions(spec)]) command.addOption(option);
  command.optionsGroup('Common options:');
  for (const option of commonOptions(spec.formats)) command.addOption(option);
  command.addHelpOption(
    new Option('-h, --help', 'display help for command').helpGroup('Common options:'),
  );
  suggestOption(command, spec);
  const examples = spec.examples.map(([line, meaning]) => `  ${line}\n      ${meaning}`);
  command.configureHelp(HELP);
  command.addHelpText('after', `\nExamples:\n${examples.join('\n')}\n\n${ENVIRONMENT}`);
  command.action(async () => {
    refuseStrayOptions(command);
    const args = command.processedArgs.flat().filter((word) => word !== undefined);
    await act(spec, { args, flags: command.opts(), origins: originsOf(command) });
  });
}

/** `rollback 4`, as Helm has it: what was meant is said, because a word could mean a node as well. */
function suggestOption(command: Command, { name, wordMeans }: AnyCommand): void {
  if (wordMeans === undefined) return;
  const usual = command.configureOutput();
  command.configureOutput({
    outputError: (text, write) => {
      if (!text.includes('too many arguments')) return usual.outputError?.(text, write);
      const words = command.args.join(' ');
      write(`error: ${name} takes no word: ${words}\n`);
      write(`  next: ciliumship ${name} ${wordMeans} ${words}\n`);
    },
  });
}

/** What was typed or set, and which of both. */
function originsOf(command: Command): ReadonlyMap<string, string> {
  const origins = command.options.flatMap((option): readonly (readonly [string, string])[] => {
    const name = option.attributeName();
    const source = command.getOptionValueSource(name);
    if (source === 'cli') return [[name, option.long ?? option.flags]];
    return source === 'env' ? [[name, option.envVar ?? '']] : [];
  });
  return new Map(origins);
}

/** `images --dry-run prune` would list in a dry run, and then prune in earnest. */
function refuseStrayOptions(command: Command): void {
  const stray = command.parent?.options.find(
    (option) => command.parent?.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (stray === undefined || command.parent?.parent === null) return;
  command.error(`error: write ${stray.long} after ${command.name()}`);
}

/** The command of that name; one of two words lies under the first. */
function commandNamed(parent: Command, name: string): Command {
  const [word = '', ...rest] = name.split(' ');
  const known = parent.commands.find((command) => command.name() === word);
  const command = known ?? endWithHelp(parent.command(word));
  return rest.length === 0 ? command : commandNamed(command, rest.join(' '));
}

/** Errors are thrown for `main` to see, and end with the next command to type. */
function endWithHelp(command: Command): Command {
  const path = (at: Command): string => (at.parent ? `${path(at.parent)} ${at.name()}` : at.name());
  return command
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({
      outputError: (text, write) => {
        const misplaced = command.parent === null ? misplacedOption(text) : undefined;
        if (misplaced === undefined) write(`${text.trimEnd()}\n  next: ${path(command)} --help\n`);
        else
          write(
            `error: write ${misplaced} after the command\n  next: ciliumship COMMAND ${misplaced} …\n`,
          );
      },
    });
}

/** An option that every command has, typed before the command. */
function misplacedOption(text: string): string | undefined {
  const typed = /unknown option '(-[^'=]+)/.exec(text)?.[1];
  return commonOptions().some(({ short, long }) => typed === short || typed === long)
    ? typed
    : undefined;
}
