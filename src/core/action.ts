import { quoteArgv } from './quote.ts';
import type { Argv } from './remote.ts';

/** One thing to do on a node as root: exactly this command. */
export interface Action {
  readonly argv: Argv;
  /** What it changes, for people. */
  readonly effect: string;
  readonly undo?: string;
}

/** Lines of a dry run: the command, and what it does. */
export function planLines(actions: readonly Action[]): readonly string[] {
  return actions.map(({ argv, effect }) => `sudo ${quoteArgv(argv)}   (${effect})`);
}
