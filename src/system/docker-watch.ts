import { Transform, type Readable } from 'node:stream';
import type Docker from 'dockerode';
import { ShipError } from '../core/errors.ts';
import { dockerError } from './docker-errors.ts';
import type { DockerHost } from './docker-host.ts';
import { pingDocker } from './docker-request.ts';

/** Times in milliseconds. */
export interface Patience {
  /** After this long without a byte, Docker is asked whether it is alive. */
  readonly silence: number;
  /** It must answer that within. */
  readonly answer: number;
  /** Without a byte for this long, even a Docker that is alive is given up. */
  readonly idle: number;
}

export const PATIENCE: Patience = { silence: 20_000, answer: 10_000, idle: 15 * 60_000 };

/** Watches one long request. */
export interface Watch {
  /** Aborted by the caller's signal, and by a Docker that stalls. */
  readonly signal: AbortSignal;
  /** Something arrived, or was taken. */
  touch(): void;
  /** Ends the request for a reason of our own. */
  fail(error: Error): void;
  stop(): void;
  /** Why the request really failed: the caller's abort, the stall, or the error itself. */
  reason(error: unknown, doing: string): unknown;
}

/**
 * Tells a long silence from a dead daemon: a compiler may print nothing for minutes while Docker
 * answers a ping, but a Docker that is stopped answers nothing (F5).
 */
export function watchSilence(
  host: DockerHost,
  api: Docker,
  signal: AbortSignal | undefined,
  patience: Patience = PATIENCE,
): Watch {
  const stalled = new AbortController();
  let heard = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const quiet = performance.now() - heard;
    if (quiet >= patience.idle) stalled.abort(idleError(patience));
    else if (quiet >= patience.silence && !(await answers(api, patience))) {
      stalled.abort(stallError(host, performance.now() - heard));
    }
    if (timer !== undefined) arm();
  };
  const arm = (): void => {
    timer = setTimeout(() => void look(), Math.min(patience.silence, patience.idle));
  };
  arm();
  return {
    signal: signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]),
    touch: () => void (heard = performance.now()),
    fail: (error) => stalled.abort(error),
    stop: () => void (clearTimeout(timer), (timer = undefined)),
    reason: (error, doing) => {
      if (signal?.aborted === true) return signal.reason;
      return stalled.signal.aborted ? stalled.signal.reason : dockerError(error, host, doing);
    },
  };
}

async function answers(api: Docker, { answer }: Patience): Promise<boolean> {
  return pingDocker(api, AbortSignal.timeout(answer)).then(
    () => true,
    () => false,
  );
}

function stallError(host: DockerHost, quiet: number): ShipError {
  const seconds = (quiet / 1000).toFixed(0);
  return new ShipError('build', `docker at ${host.url} stopped answering ${seconds} s ago`, {
    hint: 'restart it (sudo systemctl restart docker) and run the command again',
    retryable: true,
  });
}

function idleError({ idle }: Patience): ShipError {
  return new ShipError(
    'build',
    `nothing came from Docker for ${(idle / 60_000).toFixed(1)} minutes`,
    {
      hint: 'set build.idleTimeout in the config higher if one step may be silent for longer',
      retryable: true,
    },
  );
}

/**
 * The same bytes, each counted as a sign of life. A source that fails ends the whole request: Docker
 * would wait for the rest.
 */
export function metered(source: Readable, watch: Watch): Readable {
  const meter = new Transform({
    transform: (chunk, _encoding, done) => {
      watch.touch();
      done(null, chunk);
    },
  });
  const fail = (error: Error): void => {
    watch.fail(error);
    meter.destroy();
  };
  if (source.errored !== null) fail(source.errored);
  source.on('error', fail);
  return source.pipe(meter);
}
