import type { DockerDaemon } from '../../system/docker.ts';
import type { Context } from '../command.ts';

/**
 * The Docker of this machine, seen to answer.
 *
 * @throws ShipError `build` naming its address when it does not
 */
export async function openDocker({ signal }: Pick<Context, 'signal'>): Promise<DockerDaemon> {
  // Loaded late: the client takes a tenth of a second, and `--help` does not need it.
  const { connectDocker } = await import('../../system/docker.ts');
  const docker = await connectDocker();
  await docker.ping(signal);
  return docker;
}
