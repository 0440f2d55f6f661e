import { setTimeout as sleep } from 'node:timers/promises';
import { parseDuration } from '../../config/duration.ts';
import type { Output } from '../../output/output.ts';
import { option, checkDuration } from '../flags.ts';

/** Options of commands that look once, or again and again. */
export const watchOptions = [
  option('--watch', 'look again and again until Ctrl-C; in a terminal the screen is drawn anew'),
  option('--interval <duration>', 'between two looks of --watch (default: 5s)').argParser(
    checkDuration,
  ),
];

export interface WatchFlags {
  readonly watch?: boolean;
  readonly interval?: string;
}

/** What one look came to: shown with `show`, and thrown at its end when it is all there is. */
export interface Round {
  readonly show: (output: Output) => void;
  readonly error?: Error | undefined;
}

const CLEAR = '\u001b[H\u001b[2J\u001b[3J';

/**
 * Looks once, or with `--watch` until the run is stopped. A pipe gets what changed, a terminal the
 * whole picture each time.
 *
 * @throws the error of the only look; the reason of the signal
 */
export async function watching(
  { output, flags, signal }: { output: Output; flags: WatchFlags; signal: AbortSignal },
  look: (output: Output) => Promise<Round>,
): Promise<void> {
  if (flags.watch !== true) {
    const { show, error } = await look(output);
    show(output);
    if (error !== undefined) throw error;
    return;
  }
  const pause = parseDuration(flags.interval ?? '5s');
  const live = process.stdout.isTTY && process.env['TERM'] !== 'dumb' && output.format === 'text';
  let shown = '';
  for (;;) {
    const round = await look(silent(output));
    const text = textOf(output, round);
    if (live)
      process.stdout.write(`${CLEAR}${text}\n${clock()} · every ${pause / 1000} s · Ctrl-C ends\n`);
    else if (text !== shown)
      process.stdout.write(output.format === 'text' ? `${clock()}\n${text}\n` : text);
    shown = text;
    await sleep(pause, undefined, { signal });
  }
}

/** What a round would print. */
function textOf(output: Output, { show }: Round): string {
  let text = '';
  show({ ...output, result: (...of) => (text += `${output.render(...of)}\n`) });
  return text;
}

/** Steps of one look after the other are nothing that anybody wants to read. */
function silent(output: Output): Output {
  return { ...output, mode: 'quiet', emit: () => undefined, note: () => undefined };
}

function clock(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
