import type { Command, Option } from 'commander';

/** What may stand where someone is typing, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly meaning: string;
}

/** Names that words alone do not tell; asked for when they are needed. */
export interface Names {
  /** Of a config; the one that is found from here when none is named. */
  nodes(config: string | undefined): Promise<readonly string[]>;
  /** Of a config too, without registry and tag: `cilium`, `hubble-relay`. */
  images(config: string | undefined): Promise<readonly string[]>;
  /** What `drift --only` takes. */
  readonly parts: readonly string[];
  /** Ids of known problems, with their titles. */
  readonly problems: readonly Candidate[];
}

/**
 * What may complete the last of some words, by what commander knows of commands and options.
 *
 * @param words what was typed after the name of the program; the last may be empty
 */
export async function complete(
  program: Command,
  words: readonly string[],
  names: Names,
): Promise<readonly Candidate[]> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const at = commandAt(program, before);
  const config = valueAfter(before, ['-c', '--config']);
  const pending = optionNamed(at, before.at(-1));
  const found =
    pending !== undefined && takesValue(pending)
      ? await valuesOf(pending, current, names, config)
      : current.startsWith('-')
        ? optionsOf(at)
        : [...commandsOf(at), ...(await operandsOf(at, before, names, config))];
  return found.filter(({ word }) => word.startsWith(current));
}

/** The command that the words lead to; operands and options lead nowhere. */
function commandAt(program: Command, words: readonly string[]): Command {
  return words.reduce<Command>(
    (at, word) => at.commands.find((command) => command.name() === word) ?? at,
    program,
  );
}

function optionNamed(command: Command, word: string | undefined): Option | undefined {
  return command.options.find(({ short, long }) => word === short || word === long);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function commandsOf(command: Command): readonly Candidate[] {
  return command.commands.map((each) => ({ word: each.name(), meaning: each.summary() }));
}

function optionsOf(command: Command): readonly Candidate[] {
  return [...command.createHelp().visibleOptions(command)].flatMap(({ long, description }) =>
    long === undefined ? [] : [{ word: long, meaning: description }],
  );
}

/** Values of an option: its choices, or names; a list goes on after its last comma. */
async function valuesOf(
  option: Option,
  current: string,
  names: Names,
  config: string | undefined,
): Promise<readonly Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map((word) => plain(word));
  const isOfNodes = ['nodes', 'confirm', 'canary'].includes(option.name());
  if (!isOfNodes && option.name() !== 'only') return [];
  const done = current.slice(0, current.lastIndexOf(',') + 1);
  const given = new Set(done.split(','));
  const known = isOfNodes ? await names.nodes(config) : names.parts;
  return known.filter((word) => !given.has(word)).map((word) => plain(`${done}${word}`));
}

async function operandsOf(
  command: Command,
  before: readonly string[],
  names: Names,
  config: string | undefined,
): Promise<readonly Candidate[]> {
  const [operand] = command.registeredArguments;
  if (operand?.argChoices !== undefined) return operand.argChoices.map((word) => plain(word));
  if (operand?.name() === 'ids') return names.problems;
  if (operand?.name() !== 'images') return [];
  const known = await names.images(config);
  return known.filter((word) => !before.includes(word)).map(plain);
}

function plain(word: string): Candidate {
  return { word, meaning: '' };
}

function valueAfter(words: readonly string[], flags: readonly string[]): string | undefined {
  const at = words.findLastIndex((word) => flags.includes(word));
  return at < 0 ? undefined : words[at + 1];
}
