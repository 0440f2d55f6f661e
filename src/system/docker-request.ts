import type { Readable } from 'node:stream';
import type Docker from 'dockerode';

/** One request of the Engine API. */
export interface DockerRequest {
  readonly method: 'GET' | 'POST';
  /** With `?` at its end when there is a query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  /** Resolve with the response as soon as it starts instead of with its JSON. */
  readonly stream?: boolean;
  /** Who asks, when the daemon itself asks a registry. */
  readonly login?: object;
  /** A tar to send. */
  readonly body?: Readable;
}

const STATUS = {
  200: true,
  204: true,
  400: 'bad request',
  404: 'not found',
  409: 'conflict',
  500: 'server error',
  503: 'unavailable',
};

/**
 * Sends one request over dockerode's connection. Its own methods do not pass an abort signal on for
 * every call, and a request that cannot be aborted keeps this process alive when Docker stalls.
 *
 * @throws what docker-modem throws; see `dockerError`
 */
export async function requestDocker<T>(api: Docker, request: DockerRequest): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const options = {
    path: request.path,
    method: request.method,
    options: request.query,
    abortSignal: request.signal,
    isStream: request.stream === true,
    statusCodes: STATUS,
    ...(request.login === undefined ? {} : { authconfig: request.login }),
    ...(request.body === undefined ? {} : { file: request.body }),
  };
  api.modem.dial(options, (error: unknown, data: unknown) => {
    if (error) reject(error);
    else resolve(data as T);
  });
  return promise;
}

/** @throws what docker-modem throws when Docker does not answer before the signal */
export async function pingDocker(api: Docker, signal: AbortSignal): Promise<void> {
  await requestDocker(api, { method: 'GET', path: '/_ping', signal });
}
