import { parseDuration } from '../../config/duration.ts';
import type { Context } from '../command.ts';

/** Milliseconds that each node and workload gets. */
export function timeoutOf({ config, flags }: Context): number {
  return flags.timeout === undefined ? config.deploy.timeout : parseDuration(flags.timeout);
}
