import { ShipError } from '../core/errors.ts';
import { buildxEngine, buildxVersion, type BuildxEngine } from './buildx.ts';
import { apiEngine, type ApiEngine } from './docker-build.ts';
import { readLogins, type DockerLogins } from './docker-login.ts';
import type { DockerDaemon } from './docker.ts';

/**
 * Chooses what builds. `auto` is the Engine API, which needs nothing but Docker; buildx takes over
 * where logins are kept by a helper program and the plugin is there to ask it.
 *
 * @param idleTimeout milliseconds a build may print nothing
 * @throws ShipError `config` when `buildx` is asked for and the plugin is missing
 */
export async function chooseEngine(
  docker: DockerDaemon,
  engine: 'auto' | 'docker-api' | 'buildx',
  idleTimeout: number,
  logins: DockerLogins = readLogins(),
): Promise<ApiEngine | BuildxEngine> {
  const patience = { idle: idleTimeout };
  const wanted = engine === 'buildx' || (engine === 'auto' && logins.helper);
  const version = wanted ? await buildxVersion() : undefined;
  if (version !== undefined) return buildxEngine(docker, { patience });
  if (engine !== 'buildx')
    return apiEngine(docker, { patience, login: (registry) => logins.login(registry) });
  throw new ShipError('config', 'build.engine is buildx, but docker buildx is not installed', {
    hint: 'install the plugin (apt install docker-buildx) or set build.engine: docker-api',
  });
}
