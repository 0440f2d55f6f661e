import { findConfig, loadConfig } from '../config/load.ts';
import type { Config } from '../config/normalise.ts';
import { problems } from '../doctor/index.ts';
import { complete, type Names } from './complete.ts';
import { ONLY } from './drift.ts';
import { commands } from './index.ts';
import { makeProgram } from './program.ts';
import { imageNames } from './shared/image-names.ts';

/** Nobody wants an error while typing: what a config does not say is not proposed. */
const from =
  (tell: (config: Config) => readonly string[]) =>
  (file: string | undefined): Promise<readonly string[]> =>
    findConfig(file ?? process.env['CILIUMSHIP_CONFIG'], process.cwd())
      .then(loadConfig)
      .then(tell, () => []);

const names: Names = {
  nodes: from(({ nodes }) => nodes.map(({ name }) => name)),
  images: from(imageNames),
  parts: Object.keys(ONLY),
  problems: problems.map(({ id, title }) => ({ word: id, meaning: title })),
};

/** Prints what may complete the last of some words, for the scripts of the shells. */
export async function answerCompletion(words: readonly string[]): Promise<void> {
  const program = makeProgram(commands, () => Promise.resolve());
  const found = await complete(program, words, names);
  process.stdout.write(found.map(({ word, meaning }) => `${word}\t${meaning}\n`).join(''));
}
