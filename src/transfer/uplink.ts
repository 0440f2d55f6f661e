import { TokenBucket } from 'limiter';

/** Passes bytes on, no faster than the way out of this machine may be used. */
export type Uplink = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** An uplink without a limit. */
export const UNLIMITED: Uplink = (source) => source;

/** At most this much leaves at once, so that a limit holds over short times too. */
const BURST = 256 * 1024;

/**
 * An uplink that all nodes share.
 *
 * @param rate bytes per second for all that goes through it together
 */
export function limitedUplink(rate: number): Uplink {
  const bucket = new TokenBucket({
    bucketSize: BURST,
    tokensPerInterval: rate,
    interval: 'second',
  });
  return async function* limited(source) {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += BURST) {
        const piece = chunk.subarray(at, at + BURST);
        await bucket.removeTokens(piece.length);
        yield piece;
      }
    }
  };
}
