import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ShipError } from '../core/errors.ts';
import { lastLines } from '../core/text.ts';
import { canPatch } from '../facts/zstd.ts';
import { runProcess } from './process.ts';

/**
 * How hard to pack, by the rate of the slowest link. Measured with the layers of an agent, 525 MB, in
 * seconds of processor: level 1 makes 202 MB in 3.4, 3 makes 180 in 3.9, 9 makes 155 in 21; and with
 * matches from up to 128 MiB before (\`--long\`) level 1 makes 163 MB in 3.5, 3 makes 150 in 5.5, 9
 * makes 136 in 19 (docs/decisions/0004-layers-on-the-wire.md). The 2 s of the second level bring 13 MB
 * less, the 13.5 s of the third 14 MB less, on two processors: each pays below these bytes a second.
 */
const LEVELS = [
  { from: 15e6, level: '-1' },
  { from: 2.5e6, level: '-3' },
  { from: 0, level: '-9' },
] as const;

/**
 * How a patch looks for what moved: with shorter matches, and eight times as many places remembered as
 * by itself. Measured with rebuilt Go programs of 157 MB: 4.5 MB in 1.7 s of processor and 530 MB of
 * memory; without it 6.8 MB in 0.9 s and 480 MB, at level 9 6.1 MB in 3.8 s
 * (docs/decisions/0002-layers-as-patches.md).
 */
const PATCH = '--zstd=ldmMinMatch=24,ldmHashRateLog=5,ldmHashLog=23';

/** Matches from far before need a window of 128 MiB at both ends: the most that zstd takes unasked. */
const LONG = '--long=27';
/** Free memory of a node that may have such a window. */
const ROOMY = 512 * 1024 * 1024;

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
   * Writes what makes `from` of `base`. More threads do not help with a patch, and higher levels cost
   * here what they save on a link of 20 Mbit/s.
   *
   * @throws ShipError as `compress`
   */
  async patch(base: string, from: string, to: string, signal: AbortSignal): Promise<void> {
    await runZstd(['-3', '-T1', PATCH, '-f', `--patch-from=${base}`, '-o', to, from], signal);
  },

  /** What the zstd of this machine can do. */
  async abilities(): Promise<{ readonly zstd: boolean; readonly patches: boolean }> {
    return runProcess(['zstd', '--version']).then(
      ({ stdout }) => ({ zstd: true, patches: canPatch(stdout) }),
      () => ({ zstd: false, patches: false }),
    );
  },
};

/** The weakest of the nodes that a wire form is made for, and of their links. */
export interface Weakest {
  /** Bytes a second, when somebody knows. */
  readonly rate: number | undefined;
  /** Bytes of memory that programs can still have there. */
  readonly memory: number;
}

/** What suits the nodes: bytes cost seconds on a slow link, and processor time on a fast one. */
export function compressorFor({ rate, memory }: Weakest): typeof compressor {
  const level = LEVELS.find(({ from }) => (rate ?? Number.POSITIVE_INFINITY) >= from)?.level;
  const long = memory >= ROOMY ? [LONG] : [];
  return {
    ...compressor,
    compress: (from, to, form, signal) =>
      form === 'zstd'
        ? runZstd([level ?? '-3', ...long, '-T0', '-f', '-o', to, from], signal)
        : compressor.compress(from, to, form, signal),
  };
}

/** zstd has an exit code for each thing that can go wrong. */
async function runZstd(args: readonly string[], signal: AbortSignal): Promise<void> {
  // -1: ended by a signal, which the kernel sends where memory is short.
  const accept = [-1, ...Array.from({ length: 127 }, (_, index) => index + 1)];
  const { code, stderr } = await runProcess(['zstd', '-q', ...args], { signal, accept });
  if (code !== 0) throw failed(code === -1 ? 'it was killed; is memory short?' : stderr);
}

function failed(stderr: string): ShipError {
  return new ShipError('build', 'zstd could not compress a layer', {
    details: lastLines(stderr, 5),
    hint: 'look whether the disk of the cache folder is full, then run the same command again',
    retryable: true,
  });
}
