import { setTimeout as sleep } from 'node:timers/promises';
import { parseDuration } from '../../config/duration.ts';
import type { Output } from '../../output/output.ts';
import { openScreen } from '../../output/screen.ts';
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
  /** A paragraph of it that says what it comes to. */
  readonly summary: string;
  readonly error?: Error | undefined;
}

/**
 * Looks once, or with `--watch` until the run is stopped. A pipe gets what changed; a terminal shows
 * the last look, which stays when the watch ends.
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
  const show = live ? onScreen : onPaper;
  await show(output, `every ${pause / 1000} s · Ctrl-C ends`, async function* () {
    for (;;) {
      yield await look(silent(output));
      await sleep(pause, undefined, { signal });
    }
  });
}

type Rounds = () => AsyncGenerator<Round>;

/** Each look in the place of the one before; the last one stays when the screen is left. */
async function onScreen(output: Output, how: string, rounds: Rounds): Promise<void> {
  let seen: { readonly round: Round; readonly at: string } | undefined;
  try {
    using screen = openScreen(process.stdout, () => ({
      text: seen === undefined ? 'looking …' : textOf(output, seen.round),
      summary: output.clean(seen?.round.summary ?? ''),
      last: seen === undefined ? how : `${seen.at} · ${how}`,
    }));
    for await (const round of rounds()) {
      seen = { round, at: clock() };
      screen.draw();
    }
  } finally {
    seen?.round.show(output);
  }
}

/** Each look that differs from the one before. */
async function onPaper(output: Output, _: string, rounds: Rounds): Promise<void> {
  let shown = '';
  for await (const round of rounds()) {
    const text = textOf(output, round);
    if (text !== shown)
      process.stdout.write(output.format === 'text' ? `${clock()}\n${text}\n` : text);
    shown = text;
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
