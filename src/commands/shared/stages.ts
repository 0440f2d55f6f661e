import type { StageOptions } from '../../output/stage.ts';
import type { Context } from '../command.ts';

/** Options of a stage that acts; in a dry run it only looks and prints its plan. */
export function acting({ output, signal, flags }: Context): StageOptions {
  return { output, signal, dryRun: flags.dryRun === true };
}

/** Options of a stage that changes nothing on any node and so runs in a dry run too. */
export function looking({ output, signal }: Pick<Context, 'output' | 'signal'>): StageOptions {
  return { output, signal };
}

/** Options of a stage with one step for each node. */
export function perNode(context: Context): StageOptions {
  return {
    ...acting(context),
    concurrency: context.flags.concurrency ?? context.config.transfer.concurrency,
  };
}
