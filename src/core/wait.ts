import { setTimeout as sleep } from 'node:timers/promises';

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
