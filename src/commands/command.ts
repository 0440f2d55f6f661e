import type { Option } from 'commander';
import type { Config } from '../config/normalise.ts';
import type { Output } from '../output/output.ts';
import type { CommonFlags } from './flags.ts';

/** What a command gets: the checked config, where to show things, and when to stop. */
export interface Context<Flags = object> {
  readonly config: Config;
  readonly flags: Flags & CommonFlags;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** A command as data, so that help, completion and the generated pages say the same. */
export interface CommandSpec<Flags = object> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What it does, in a few sentences. */
  readonly description: string;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  readonly options?: readonly Option[];
  run(context: Context<Flags>): Promise<void>;
}
