import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ShipError } from '../core/errors.ts';
import { lastLines } from '../core/text.ts';
import { runProcess } from './process.ts';

/** Compresses files: zstd by its own program (all processors), gzip by Node. */
export const compressor = {
  /**
   * @throws ShipError `usage` when zstd is not installed here, `interrupted`
   */
  async compress(
    from: string,
    to: string,
    form: 'zstd' | 'gzip',
    signal: AbortSignal,
  ): Promise<void> {
    if (form === 'zstd') {
      const done = await runProcess(['zstd', '-q', '-3', '-T0', '-f', '-o', to, from], {
        signal,
        accept: [1],
      });
      if (done.code !== 0) throw failed(done.stderr);
      return;
    }
    await pipeline(createReadStream(from), createGzip({ level: 6 }), createWriteStream(to), {
      signal,
    });
  },

  /** True when this machine has the zstd program. */
  async hasZstd(): Promise<boolean> {
    return runProcess(['zstd', '--version']).then(
      () => true,
      () => false,
    );
  },
};

function failed(stderr: string): ShipError {
  return new ShipError('build', 'zstd could not compress a layer', {
    details: lastLines(stderr, 5),
    hint: 'look whether the disk of the cache folder is full, then run the same command again',
    retryable: true,
  });
}
