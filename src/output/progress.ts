import prettyBytes from 'pretty-bytes';
import type { Progress } from '../core/step.ts';

const BAR_WIDTH = 16;
const MAX_TEXT = 72;

/**
 * Makes progress text for one step. Bytes never go backwards: a resumed transfer that starts over
 * keeps what was shown until it has caught up.
 *
 * @param now milliseconds on a clock that only goes forward
 */
export function progressText(now: () => number): (progress: Progress) => string {
  let most = 0;
  let fullest = 0;
  let first: { readonly at: number; readonly bytes: number } | undefined;
  return (progress) => {
    if ('text' in progress) return oneLine(progress.text);
    most = Math.max(most, progress.bytes);
    first ??= { at: now(), bytes: progress.bytes };
    const seconds = (now() - first.at) / 1000;
    const rate = seconds > 0.2 ? (most - first.bytes) / seconds : undefined;
    // A total that was only expected may grow.
    fullest = Math.max(fullest, shareOf(most, progress.total));
    return barText(most, progress.total, fullest, rate);
  };
}

/** A command of many lines as the beginning of one. */
function oneLine(text: string): string {
  const words = text.replaceAll(/\s+/g, ' ').trim();
  return words.length > MAX_TEXT ? `${words.slice(0, MAX_TEXT - 1)}…` : words;
}

function shareOf(bytes: number, total: number): number {
  return total === 0 ? 1 : Math.min(1, bytes / total);
}

/** @param share of the bar that is full */
function barText(bytes: number, total: number, share: number, rate: number | undefined): string {
  const filled = Math.round(share * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  const parts = [`${bar} ${formatBytes(bytes)} of ${formatBytes(total)}`];
  if (rate !== undefined && rate > 0) {
    parts.push(
      `${formatBytes(rate)}/s`,
      `${Math.max(0, Math.ceil((total - bytes) / rate))} s left`,
    );
  }
  return parts.join(' · ');
}

/** Bytes for people, in powers of ten: `151 MB`. */
export function formatBytes(bytes: number): string {
  return prettyBytes(bytes, { maximumFractionDigits: bytes < 10_000_000 ? 1 : 0 });
}
