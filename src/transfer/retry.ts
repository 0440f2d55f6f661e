import pRetry from 'p-retry';
import { ShipError } from '../core/errors.ts';
import type { Run } from '../core/step.ts';

/** Milliseconds before a lost connection is taken up once more, at first and at most. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

export interface Retrying {
  /** Milliseconds that are spent on one outage. */
  readonly retryFor: number;
  /** How far the attempts have come in all; an attempt that came further ends an outage. */
  readonly reached: () => number;
  readonly run: Run;
}

/**
 * Tries again as long as only the way was bad: at once after an attempt that got on, and then with
 * growing pauses, until one outage has lasted for `retryFor`.
 *
 * @param attempt gets 1, 2, 3 …
 * @throws what the last attempt threw; the reason of `run.signal`
 */
export async function retried(
  attempt: (number: number) => Promise<void>,
  { retryFor, reached, run }: Retrying,
): Promise<void> {
  let outage = { at: Number.NEGATIVE_INFINITY, since: 0 };
  const gotOn = (): boolean => {
    if (reached() <= outage.at) return false;
    outage = { at: reached(), since: performance.now() };
    return true;
  };
  await pRetry(attempt, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: FIRST_PAUSE,
    maxTimeout: LONGEST_PAUSE,
    randomize: true,
    signal: run.signal,
    shouldConsumeRetry: () => !gotOn(),
    shouldRetry: ({ error }) => isLost(error) && performance.now() - outage.since < retryFor,
    onFailedAttempt: ({ error }) => run.progress({ text: `${error.message}; connecting again` }),
  });
}

/** A connection that was lost; a refusal, a full disk or other bytes stay what they are. */
function isLost(error: Error): boolean {
  return error instanceof ShipError && error.kind === 'network' && error.retryable;
}
