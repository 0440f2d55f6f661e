import { ShipError } from '../core/errors.ts';
import type { Argv, Finished } from '../core/remote.ts';
import { runProcess, type ProcessOptions } from './process.ts';

/** Milliseconds that a Helm may take that does not wait for pods. */
export const HELM_TIMEOUT = 120_000;
/** Of a program that a signal ended. */
const KILLED = -1;
/** Helm has one exit code for whatever it refuses: who asks reads its words. */
const ANY = Array.from({ length: 255 }, (_, index) => index + 1);

/** How a Helm is run. */
export interface HelmOptions extends Pick<ProcessOptions, 'env' | 'input'> {
  readonly signal: AbortSignal;
  /** Milliseconds; `HELM_TIMEOUT` when not given. */
  readonly timeout?: number;
  /** True when it may have changed something by the time that a signal ends it. */
  readonly changes?: boolean;
  /** What to look at when it does not end. */
  readonly silent?: string;
}

/**
 * Runs Helm to its end, whatever its exit code.
 *
 * @throws ShipError `usage` when Helm is not installed, `network` when it did not end in time or a
 * signal ended one that only looks, `deploy` when a signal ended one that changes, `interrupted`
 */
export async function runHelm(
  args: readonly string[],
  { timeout = HELM_TIMEOUT, silent = 'the API server', changes = false, ...options }: HelmOptions,
): Promise<Finished> {
  const argv: Argv = ['helm', ...args];
  const what = `helm ${args[0] ?? ''}`;
  const late = (): ShipError =>
    new ShipError('network', `${what} did not finish in ${timeout / 1000} s`, {
      retryable: true,
      hint: `see whether ${silent} answers, then run the same command again`,
    });
  const found = await runProcess(argv, { ...options, timeout, accept: [KILLED, ...ANY], late });
  if (found.code === KILLED) throw killed(what, changes);
  return found;
}

/** By somebody, or by the kernel where memory is short. What it did until then is not known. */
function killed(what: string, changes: boolean): ShipError {
  return new ShipError(changes ? 'deploy' : 'network', `${what} was ended by a signal`, {
    retryable: true,
    hint: 'see whether memory is short here, then run the same command again',
  });
}
