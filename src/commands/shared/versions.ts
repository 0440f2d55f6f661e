import { VERSION } from '../../core/version.ts';
import { readTools, type Tool } from '../../system/tools.ts';
import { openDocker } from './docker.ts';

/**
 * ciliumship, Node, Docker and every other program of this machine that is made use of.
 *
 * @throws the reason when `signal` ends it
 */
export async function readVersions(signal: AbortSignal): Promise<readonly Tool[]> {
  const [tools, engine] = await Promise.all([readTools(signal), readEngine(signal)]);
  signal.throwIfAborted();
  return [own('ciliumship', VERSION), own('node', process.versions.node), engine, ...tools];
}

function own(name: string, found: string): Tool {
  return { name, version: found, lacks: '' };
}

async function readEngine(signal: AbortSignal): Promise<Tool> {
  const found = await openDocker({ signal })
    .then((docker) => docker.info(signal))
    .catch(() => undefined);
  const lacks = 'build, push and ship; start Docker, or set DOCKER_HOST';
  return { name: 'docker engine', version: found?.version, lacks };
}
