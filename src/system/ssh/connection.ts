import type { Client } from 'ssh2';
import { ShipError } from '../../core/errors.ts';

/** An open connection, and the news of its end: ssh2 leaves calls without an answer then. */
export interface Connection {
  readonly client: Client;
  readonly node: string;
  /** Rejects with ShipError `network` when the connection ends. */
  readonly lost: Promise<never>;
  readonly closed: boolean;
}

export function watchConnection(client: Client, node: string): Connection {
  const { promise: lost, reject } = Promise.withResolvers<never>();
  let closed = false;
  client.once('close', () => {
    closed = true;
    reject(connectionLost(node));
  });
  // Nobody may be waiting when it ends.
  lost.catch(() => undefined);
  return {
    client,
    node,
    lost,
    get closed() {
      return closed;
    },
  };
}

/** A connection that ended while something was under way. Running it again is safe. */
export function connectionLost(node: string, cause?: unknown): ShipError {
  return new ShipError('network', `${node}: the connection was lost`, {
    retryable: true,
    hint: 'run the same command again; what arrived is not sent twice',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Why a signal ended something: the caller's own reason, or ShipError `network` for a deadline. */
export function stopReason(node: string, what: string, signal: AbortSignal): unknown {
  const timedOut = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
  if (!timedOut) return signal.reason;
  return new ShipError('network', `${node}: ${what} did not finish in time`, {
    retryable: true,
    hint: 'look at the load of the node, then run the same command again',
  });
}
