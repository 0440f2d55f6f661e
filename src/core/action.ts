import { quoteArgv } from './quote.ts';
import type { Argv } from './remote.ts';

/** One thing to do on a node as root: exactly this command. */
export interface Action {
  readonly argv: Argv;
  /** What it changes, for people. */
  readonly effect: string;
  readonly undo?: string;
}

/** Lines of a dry run: what each action does, and below that its command. */
export function planLines(actions: readonly Pick<Action, 'argv' | 'effect'>[]): readonly string[] {
  return actions.flatMap(({ argv, effect }) => [effect, `  sudo ${quoteArgv(argv)}`]);
}
