import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ShipError } from '../core/errors.ts';
import type { Platform } from '../core/image.ts';
import type { Run } from '../core/step.ts';
import type { DockerLogins } from './docker-login.ts';
import { requestDocker } from './docker-request.ts';
import { watchSilence } from './docker-watch.ts';
import type { DockerDaemon } from './docker.ts';

/** A line of what Docker says while it pulls; errors come in the middle of it. */
interface PullRecord {
  readonly id?: string;
  readonly status?: string;
  readonly error?: string;
}

const HUB = 'registry-1.docker.io';

/**
 * Lets Docker pull an image, with the login of its registry if there is one that can be read.
 *
 * @throws ShipError `build` with what Docker or the registry said
 */
export async function pullImage(
  { api, host }: DockerDaemon,
  { name, platform }: { readonly name: string; readonly platform: Platform },
  logins: DockerLogins,
  { signal, progress }: Run,
): Promise<void> {
  const watch = watchSilence(host, api, signal);
  try {
    const login = await logins.login(registryOf(name));
    const response = await requestDocker<Readable>(api, {
      method: 'POST',
      path: '/images/create?',
      query: { fromImage: name, platform },
      signal: watch.signal,
      stream: true,
      ...(login === undefined
        ? {}
        : { login: { username: login.username, password: login.secret } }),
    });
    for await (const line of createInterface({ input: response })) {
      watch.touch();
      const { id, status, error } = JSON.parse(line) as PullRecord;
      if (error !== undefined) throw refused(name, error);
      progress({ text: [id, status].filter(Boolean).join(' ') });
    }
  } catch (error) {
    const reason = watch.reason(error, `pull of ${name}`);
    throw reason instanceof ShipError && reason.hint === undefined
      ? refused(name, reason.message)
      : reason;
  } finally {
    watch.stop();
  }
}

function refused(name: string, why: string): ShipError {
  return new ShipError('build', `Docker cannot pull ${name}: ${why}`, {
    hint: `bring it here: docker pull ${name}, or docker load; then run the same command again`,
  });
}

/** The part before the first slash is a host when it looks like one. */
function registryOf(name: string): string {
  const [first = '', rest] = name.split('/', 2);
  return rest !== undefined && /[.:]|^localhost$/.test(first) ? first : HUB;
}
