import { parseRate } from '../../config/rate.ts';
import type { SendOptions } from '../../transfer/send.ts';
import { limitedUplink, UNLIMITED } from '../../transfer/uplink.ts';
import type { Context } from '../command.ts';

/** One uplink for all nodes of a run, as flag or config limit it. */
export function sendOptions({ config, flags }: Context): SendOptions {
  const { maxRate, retry } = config.transfer;
  const rate = flags.maxRate === undefined ? maxRate : parseRate(flags.maxRate);
  return { uplink: rate === undefined ? UNLIMITED : limitedUplink(rate), retryFor: retry };
}
