import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ShipError } from '../core/errors.ts';
import { lastLines } from '../core/text.ts';
import { canPatch } from '../facts/zstd.ts';
import { runProcess } from './process.ts';

/**
 * Measured with the layers of an agent and an operator (720 MB) on two cores: level 3 makes 228 MB in
 * 2.3 s, 6 makes 215 in 3.9, 9 makes 200 in 7.2, 12 makes 198 in 14.
 */
const FAST = '-3';
const SMALL = '-9';

/** Two nodes at this rate take the bytes that are saved in the seconds that they cost. */
const SLOW_LINK = 5e6;

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
      await runZstd([FAST, '-T0', '-f', '-o', to, from], signal);
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

/**
 * What suits a link: over a slow one an eighth fewer bytes are worth three times the processor time.
 *
 * @param rate bytes a second to each node, when somebody knows
 */
export function compressorFor(rate: number | undefined): typeof compressor {
  if (rate === undefined || rate >= SLOW_LINK) return compressor;
  return {
    ...compressor,
    compress: (from, to, form, signal) =>
      form === 'zstd'
        ? runZstd([SMALL, '-T0', '-f', '-o', to, from], signal)
        : compressor.compress(from, to, form, signal),
  };
}

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
