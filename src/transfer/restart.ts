import pRetry from 'p-retry';
import { ShipError } from '../core/errors.ts';
import type { Argv, Finished, Remote } from '../core/remote.ts';

/** How long a containerd that is started again is waited for, and how often it is asked. Milliseconds. */
const RESTART = 30_000;
const PAUSE = 500;

/** Needs no rights. */
const SERVICES: Argv = ['systemctl', 'is-active', 'k3s', 'k3s-agent'];
const STOPPED: ReadonlySet<string> = new Set(['inactive', 'failed', 'unknown']);

/** Every exit code, as an answer. */
export const ANY = Array.from({ length: 255 }, (_, index) => index + 1);

/**
 * Asks containerd, again and again while K3s starts it anew. One that nobody starts is not waited for.
 *
 * @param ask throws what `silent` gives when there is no answer
 * @throws what `ask` throws
 */
export function onceStarted<T>(
  remote: Remote,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  return pRetry(ask, {
    ...{ retries: Number.POSITIVE_INFINITY, maxRetryTime: RESTART },
    ...{ factor: 1, minTimeout: PAUSE, signal },
    shouldRetry: async ({ error }) => isSilence(error) && !(await isStopped(remote, signal)),
  });
}

function isSilence(error: Error): boolean {
  return error instanceof ShipError && error.kind === 'storage' && error.retryable;
}

/** Whether systemd says that K3s does not run; false where there is none. */
async function isStopped(remote: Remote, signal: AbortSignal): Promise<boolean> {
  const { stdout } = await remote.run(SERVICES, { signal, accept: ANY });
  const states = stdout.split('\n').filter((line) => line !== '');
  return states.length > 0 && states.every((state) => STOPPED.has(state));
}

/** What is wrong when a tool of K3s has no answer. */
export function silent(node: string, { code, stderr }: Finished): ShipError {
  if (code === 127 || /k3s: (command )?not found/.test(stderr)) {
    return new ShipError('storage', `${node}: K3s is not installed`, {
      hint: `install K3s on ${node} first, then run the same command again`,
    });
  }
  return new ShipError('storage', `${node}: containerd does not answer`, {
    details: [stderr.trim()].filter((line) => line !== ''),
    hint: `on ${node}: sudo systemctl restart k3s (or k3s-agent), then run the same command again`,
    retryable: true,
  });
}
