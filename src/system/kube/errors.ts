import { ApiException } from '@kubernetes/client-node';
import { ShipError } from '../../core/errors.ts';
import type { CallBounds } from './config.ts';

/** HTTP status of a Kubernetes API error; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof ApiException ? error.code : undefined;
}

/** Runs API calls, each with a deadline and an end by the run's signal. */
export interface Asker {
  /**
   * @returns undefined when the object does not exist
   * @throws ShipError `identity` (401, 403), `network` (no answer in time, 5xx), `deploy` (any other
   * refusal); the reason of the signal
   */
  readonly ask: <T>(what: string, call: Promise<T>) => Promise<T | undefined>;
  /** As `ask`, for what must exist. Throws ShipError `deploy` when it does not. */
  readonly demand: <T>(what: string, call: Promise<T>) => Promise<T>;
}

/** An asker whose calls end within the bounds. */
export function createAsker({ signal, deadline }: CallBounds): Asker {
  const ask = async <T>(what: string, call: Promise<T>): Promise<T | undefined> => {
    // Whoever does not wait any more does not want its late failure either.
    call.catch(() => undefined);
    try {
      return await orEnd(call, what, signal, deadline);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      if (signal.aborted || error instanceof ShipError) throw error;
      throw translate(what, error);
    }
  };
  return {
    ask,
    demand: async (what, call) => {
      const found = await ask(what, call);
      if (found !== undefined) return found;
      throw new ShipError('deploy', `the cluster has no ${what}`);
    },
  };
}

async function orEnd<T>(
  call: Promise<T>,
  what: string,
  signal: AbortSignal,
  deadline: number,
): Promise<T> {
  signal.throwIfAborted();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason as Error);
  const timer = setTimeout(() => reject(silent(what, deadline)), deadline);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([call, ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function silent(what: string, deadline: number): ShipError {
  return new ShipError(
    'network',
    `no answer from the API server in ${deadline / 1000} s (${what})`,
    {
      retryable: true,
      hint: 'see whether K3s runs on the server node: sudo systemctl status k3s',
    },
  );
}

function translate(what: string, error: unknown): ShipError {
  const status = statusOf(error);
  const cause = error;
  if (status === undefined || status >= 500) {
    const why = firstLine(deepest(error));
    return new ShipError('network', `the API server does not answer (${what}): ${why}`, {
      retryable: true,
      cause,
      hint: 'see whether K3s runs on the server node: sudo systemctl status k3s',
    });
  }
  if (status === 401 || status === 403) {
    return new ShipError('identity', `the API server refuses: ${what} (HTTP ${status})`, {
      cause,
      hint: 'use a kubeconfig with more rights, after the command: --kubeconfig FILE',
    });
  }
  return new ShipError(
    'deploy',
    `the API server refuses: ${what} (HTTP ${status}): ${reason(error)}`,
    {
      cause,
    },
  );
}

function reason(error: unknown): string {
  const body = error instanceof ApiException ? (error as ApiException<unknown>).body : undefined;
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? '');
  try {
    const { message } = JSON.parse(text) as { readonly message?: string };
    return message ?? text.slice(0, 300);
  } catch {
    return text.slice(0, 300);
  }
}

/** `fetch failed` says nothing; what lies below it does: `connect ECONNREFUSED 10.4.100.1:6443`. */
function deepest(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const below = error.cause instanceof Error ? deepest(error.cause) : '';
  return below === '' ? error.message : below;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
