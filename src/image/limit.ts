import { Transform } from 'node:stream';
import { ShipError } from '../core/errors.ts';

/** No image of programs comes near: those of Cilium are about a third when compressed. */
const RATIO = 100;
const ALWAYS = 64 * 1024 * 1024;

/**
 * Lets a stream through until it is longer than anything honest that was `compressed` bytes long,
 * so that a bomb of a few kilobytes fills no disk (D13). Fails with ShipError `integrity`.
 */
export function limitUnpacked(compressed: number): Transform {
  const limit = ALWAYS + RATIO * compressed;
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _, next) {
      seen += chunk.length;
      if (seen <= limit) return next(null, chunk);
      next(
        new ShipError('integrity', `unpacks to more than ${limit} bytes, far from its own size`),
      );
    },
  });
}
