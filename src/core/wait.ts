import { setTimeout as sleep } from 'node:timers/promises';
import { toShipError, type ShipError } from './errors.ts';

const PAUSE = 400;

/**
 * Looks again and again until there is an answer.
 *
 * @param timeout milliseconds after which `late` makes the error
 * @throws what `look` or `late` throw; the reason of the signal
 */
export async function waitFor<T>(
  look: () => Promise<T | undefined>,
  timeout: number,
  signal: AbortSignal,
  late: () => Promise<Error> | Error,
): Promise<T> {
  const end = performance.now() + timeout;
  for (;;) {
    signal.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw await late();
    await sleep(PAUSE, undefined, { signal });
  }
}

/** How long a call may fail before its failure counts. */
export interface Patience {
  /** Milliseconds from the first try on. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Puts right what may have caused a failure, before the next try. */
  readonly mend: (failure: ShipError) => Promise<void>;
}

/**
 * Calls again and again until nothing stands in the way any more; for calls that may be repeated.
 *
 * @param mayPass whether a failure is one that passes by itself: of the network, if not given
 * @throws any other failure, and the last one when the time is over; the reason of the signal
 */
export async function untilAnswered<T>(
  call: () => Promise<T>,
  { timeout, signal, mend }: Patience,
  mayPass: (failure: ShipError) => boolean = ({ kind }) => kind === 'network',
): Promise<T> {
  const end = performance.now() + timeout;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      const failure = toShipError(error);
      if (signal.aborted || !mayPass(failure) || performance.now() > end) throw error;
      await mend(failure);
    }
    await sleep(PAUSE, undefined, { signal });
  }
}
