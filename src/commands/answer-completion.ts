import { findConfig, loadConfig } from '../config/load.ts';
import { problems } from '../doctor/index.ts';
import { complete, type Names } from './complete.ts';
import { commands } from './index.ts';
import { makeProgram } from './program.ts';

const names: Names = {
  // Nobody wants an error while typing: what a config does not say is not proposed.
  nodes: (config) =>
    findConfig(config ?? process.env['CILIUMSHIP_CONFIG'], process.cwd())
      .then(loadConfig)
      .then(
        ({ nodes }) => nodes.map(({ name }) => name),
        () => [],
      ),
  problems: problems.map(({ id, title }) => ({ word: id, meaning: title })),
};

/** Prints what may complete the last of some words, for the scripts of the shells. */
export async function answerCompletion(words: readonly string[]): Promise<void> {
  const program = makeProgram(commands, () => Promise.resolve());
  const found = await complete(program, words, names);
  process.stdout.write(found.map(({ word, meaning }) => `${word}\t${meaning}\n`).join(''));
}
