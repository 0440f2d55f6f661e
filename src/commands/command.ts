import type { Argument, Option } from 'commander';
import type { Config, HookName } from '../config/normalise.ts';
import type { Output } from '../output/output.ts';
import type { ReportFormat } from '../output/report.ts';
import type { Receipt } from '../output/receipt/schema.ts';
import type { CommonFlags } from './flags.ts';

/** What every command gets: its words and flags, where to show things, and when to stop. */
export interface BareContext<Flags = object> {
  /** The operands, in the order of `CommandSpec.args`; those of `[ids...]` one by one. */
  readonly args: readonly string[];
  readonly flags: Flags & CommonFlags;
  /** Where flags come from: `maxRate` → `--max-rate` or the variable that was set. */
  readonly origins?: ReadonlyMap<string, string>;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** What a command gets that works on the nodes of a config: that config too, checked. */
export interface Context<Flags = object> extends BareContext<Flags> {
  readonly config: Config;
  /** The receipt as it would be if the run ended now; undefined where none is left. */
  readonly receiptSoFar?: () => Receipt;
}

/** How a command is called, as data, so that help, completion and the pages say the same. */
export interface CommandUsage {
  /** One word, or two for a command under another: `images prune`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What it does, in a few sentences. */
  readonly description: string;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  readonly args?: readonly Argument[];
  readonly options?: readonly Option[];
  /** Of a command without operands: the option that a stray word was meant for. */
  readonly wordMeans?: string;
  /** Forms of its result beside text, JSON and YAML. */
  readonly formats?: readonly ReportFormat[];
}

/** A command that works with a config file. */
export interface CommandSpec<Flags = object> extends CommandUsage {
  /** It changes nodes or cluster, and leaves a record of that. */
  readonly receipt?: boolean;
  /** Hooks of the config that it runs; it takes `--hooks` then. */
  readonly hooks?: readonly HookName[];
  run(context: Context<Flags>): Promise<void>;
}

/** A command that needs no config file: it makes one, or explains something. */
export interface BareCommandSpec<Flags = object> extends CommandUsage {
  runBare(context: BareContext<Flags>): Promise<void>;
}

export type AnyCommand = CommandSpec | BareCommandSpec;
