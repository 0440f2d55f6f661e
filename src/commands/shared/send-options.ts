import { parseRate } from '../../config/rate.ts';
import type { SendOptions } from '../../transfer/send.ts';
import { limitedUplink, UNLIMITED } from '../../transfer/uplink.ts';
import type { Context } from '../command.ts';

/** One uplink for all nodes of a run, as flag or config limit it. */
export function sendOptions(context: Context): SendOptions {
  const rate = maxRate(context);
  const uplink = rate === undefined ? UNLIMITED : limitedUplink(rate);
  return { uplink, retryFor: context.config.transfer.retry };
}

/** Bytes a second that may leave this machine, when flag or config limit them. */
export function maxRate({ config, flags }: Context): number | undefined {
  return flags.maxRate === undefined ? config.transfer.maxRate : parseRate(flags.maxRate);
}
