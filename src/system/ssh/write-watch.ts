import { ShipError } from '../../core/errors.ts';
import type { WriteOptions } from '../../core/remote.ts';

const STALL_TIMEOUT = 60_000;

/** Ends the waits of one write: with the connection, the caller's signal, or a node that stalls. */
export interface WriteWatch extends Disposable {
  /** Ends every wait with what `end` rejects with. */
  failWith(end: Promise<never>): void;
  race<T>(wait: Promise<T>): Promise<T>;
  /** As `race`, for one answer of the node, which may take `times` as long as a write. */
  answer<T>(wait: Promise<T>, times?: number): Promise<T>;
  sent(): void;
  acknowledged(): void;
}

/** Keepalives say that sshd lives; only acknowledged bytes say that the file grows. */
export function watchWrite(node: string, options: WriteOptions): WriteWatch {
  const { signal, stallTimeout = STALL_TIMEOUT } = options;
  const { promise: ended, reject } = Promise.withResolvers<never>();
  ended.catch(() => undefined);
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  let outstanding = 0;
  let heard = performance.now();
  const race = <T>(wait: Promise<T>): Promise<T> => Promise.race([ended, wait]);
  const timer = setInterval(() => {
    if (outstanding === 0 || performance.now() - heard < stallTimeout) return;
    reject(stalled(node, stallTimeout));
  }, stallTimeout / 4);
  return {
    failWith: (end) => void end.catch(reject),
    race,
    answer: async (wait, times = 1) => {
      const limit = stallTimeout * times;
      const late = setTimeout(() => reject(silent(node, limit)), limit);
      try {
        return await race(wait);
      } finally {
        clearTimeout(late);
      }
    },
    sent: () => {
      if (outstanding === 0) heard = performance.now();
      outstanding += 1;
    },
    acknowledged: () => {
      heard = performance.now();
      outstanding -= 1;
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}

function stalled(node: string, milliseconds: number): ShipError {
  return lateError(node, `no byte was taken for ${(milliseconds / 1000).toFixed(0)} s`);
}

function silent(node: string, milliseconds: number): ShipError {
  return lateError(
    node,
    `a file was not opened or finished in ${(milliseconds / 1000).toFixed(0)} s`,
  );
}

function lateError(node: string, what: string): ShipError {
  return new ShipError('network', `${node}: ${what}`, {
    retryable: true,
    hint: `look at the disk and the load of ${node}, then run the same command again`,
  });
}
