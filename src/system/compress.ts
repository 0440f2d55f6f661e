import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ShipError } from '../core/errors.ts';
import { lastLines } from '../core/text.ts';
import { canPatch } from '../facts/zstd.ts';
import { runProcess } from './process.ts';

/** Makes wire forms: zstd and patches by zstd's own program, gzip by Node. */
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
      await runZstd(['-3', '-T0', '-f', '-o', to, from], signal);
      return;
    }
    await pipeline(createReadStream(from), createGzip({ level: 6 }), createWriteStream(to), {
      signal,
    });
  },

  /**
   * Writes what makes `from` of `base`. Higher levels cost here what they save on a link of 20 Mbit/s,
   * and more threads do not help with a patch (docs/decisions/0002-layers-as-patches.md).
   *
   * @throws ShipError as `compress`
   */
  async patch(base: string, from: string, to: string, signal: AbortSignal): Promise<void> {
    await runZstd(['-3', '-T1', '-f', `--patch-from=${base}`, '-o', to, from], signal);
  },

  /** What the zstd of this machine can do. */
  async abilities(): Promise<{ readonly zstd: boolean; readonly patches: boolean }> {
    return runProcess(['zstd', '--version']).then(
      ({ stdout }) => ({ zstd: true, patches: canPatch(stdout) }),
      () => ({ zstd: false, patches: false }),
    );
  },
};

/** zstd has an exit code for each thing that can go wrong. */
async function runZstd(args: readonly string[], signal: AbortSignal): Promise<void> {
  const accept = Array.from({ length: 127 }, (_, index) => index + 1);
  const { code, stderr } = await runProcess(['zstd', '-q', ...args], { signal, accept });
  if (code !== 0) throw failed(stderr);
}

function failed(stderr: string): ShipError {
  return new ShipError('build', 'zstd could not compress a layer', {
    details: lastLines(stderr, 5),
    hint: 'look whether the disk of the cache folder is full, then run the same command again',
    retryable: true,
  });
}
