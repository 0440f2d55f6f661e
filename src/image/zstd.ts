import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { ShipError } from '../core/errors.ts';

/**
 * Throws ShipError `usage` under a Node that has no zstd: 22.13 and 22.14, where all else runs.
 *
 * @param what cannot be read or written, for the message
 */
export function requireZstd(what: string, library: Partial<typeof zlib> = zlib): void {
  if (library.createZstdCompress !== undefined) return;
  throw new ShipError('usage', `${what} is zstd, which Node ${process.versions.node} lacks`, {
    hint: 'install Node 22.15 or newer, for example: npm install --global node@24',
  });
}

/** A stream that packs with zstd. Throws as requireZstd. */
export function packZstd(): Transform {
  requireZstd('the archive');
  return zlib.createZstdCompress();
}

/** A stream that unpacks zstd; it refuses a window of more than 128 MiB by itself. Throws as requireZstd. */
export function unpackZstd(what: string, chunkSize?: number): Transform {
  requireZstd(what);
  return zlib.createZstdDecompress({ ...(chunkSize === undefined ? {} : { chunkSize }) });
}
