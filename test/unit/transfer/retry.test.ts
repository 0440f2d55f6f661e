import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import type { Run } from '../../../src/core/step.ts';
import { retried } from '../../../src/transfer/retry.ts';

const LOST = new ShipError('network', 'worker: the connection was lost', { retryable: true });
const run: Run = { signal: new AbortController().signal, progress: () => undefined };

/** Attempts of which each ends with a cut, after it came as far as its entry says. */
function cutAfter(...reaches: readonly number[]) {
  const made = { attempts: 0, reached: 0 };
  const attempt = async (number: number): Promise<void> => {
    made.attempts = number;
    const reach = reaches[number - 1];
    if (reach === undefined) return;
    made.reached = Math.max(made.reached, reach);
    throw LOST;
  };
  return { made, attempt, reached: (): number => made.reached };
}

describe('a step that is tried again', () => {
  test('F16: may be cut as often as it gets on in between, and then waits for nothing', async () => {
    const cuts = cutAfter(...Array.from({ length: 200 }, (_, index) => index + 1));
    await retried(cuts.attempt, { retryFor: 60_000, reached: cuts.reached, run });
    expect(cuts.made.attempts).toBe(201);
  });

  test('F15: is given up when one outage lasts too long', async () => {
    const cuts = cutAfter(5, 5, 5, 5, 5, 5);
    const trying = retried(cuts.attempt, { retryFor: 400, reached: cuts.reached, run });
    await expect(trying).rejects.toBe(LOST);
    expect(cuts.made.attempts).toBeLessThan(5);
  });

  test('is tried once when no time is given', async () => {
    const cuts = cutAfter(5, 6);
    await expect(retried(cuts.attempt, { retryFor: 0, reached: cuts.reached, run })).rejects.toBe(
      LOST,
    );
    expect(cuts.made.attempts).toBe(1);
  });
});
