import { ShipError } from '../core/errors.ts';
import type { DockerHost } from './docker-host.ts';

/** What dockerode throws: a system error, an HTTP status with Docker's own message, or an abort. */
interface DockerFailure {
  readonly code?: string;
  readonly statusCode?: number;
  readonly json?: { readonly message?: string } | null;
  readonly message?: string;
  readonly name?: string;
}

const START =
  'start Docker (sudo systemctl start docker) or set DOCKER_HOST; docker info must answer';

/**
 * Translates a failure of the connection to Docker, by its code.
 *
 * @param doing what was being done, for the message: `build`, `save`
 * @returns ShipError `build` that names the socket and what to do; a ShipError as it is
 */
export function dockerError(error: unknown, host: DockerHost, doing: string): ShipError {
  if (error instanceof ShipError) return error;
  const failure = error as DockerFailure;
  const at = `${host.url} (${host.from})`;
  if (failure.statusCode !== undefined) {
    // docker-modem puts the status and its own word for it before what Docker said.
    const said = failure.json?.message ?? (failure.message ?? '').replace(/^\(HTTP code.*? - /, '');
    return new ShipError('build', `docker: ${doing} failed: ${said.trim()}`, { cause: error });
  }
  const [what, hint] = explain(failure);
  return new ShipError('build', `docker at ${at} ${what}`, { hint, retryable: true, cause: error });
}

function explain(failure: DockerFailure): readonly [string, string] {
  switch (failure.code) {
    case 'ENOENT':
      return ['is not there: no such socket', START];
    case 'ECONNREFUSED':
      return ['is not running: connection refused', START];
    case 'EACCES':
    case 'EPERM':
      return ['may not be used by you', 'sudo usermod -aG docker "$USER", then log in again'];
    case 'ECONNRESET':
    case 'EPIPE':
      return ['went away in the middle', `look at its log (journalctl -u docker), ${START}`];
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return [
        'has a host name that does not resolve',
        'correct DOCKER_HOST; docker info must answer',
      ];
    default:
      break;
  }
  if (failure.name === 'TimeoutError' || failure.name === 'AbortError') {
    return [
      'does not answer',
      'restart it (sudo systemctl restart docker); docker info must answer',
    ];
  }
  return [`failed: ${failure.message ?? 'no reason given'}`, 'docker info must answer'];
}
