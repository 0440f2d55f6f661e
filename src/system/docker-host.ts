import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ShipError } from '../core/errors.ts';

/** Where Docker listens: what the docker command line would use. */
export interface DockerHost {
  /** For people and for DOCKER_HOST: `unix:///var/run/docker.sock`, `tcp://host:2376`. */
  readonly url: string;
  /** Where it was read: `DOCKER_HOST`, `docker context colima` or `default`. */
  readonly from: string;
  readonly tls?: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_SOCKET = '/var/run/docker.sock';

/**
 * Finds Docker as its command line does: DOCKER_HOST, then DOCKER_CONTEXT, then the current context
 * of config.json, then the default socket.
 *
 * @throws ShipError `config` for an address that cannot be used (`ssh://`, a context that is gone),
 * naming the way out
 */
export function findDockerHost(env: Environment, home: string = homedir()): DockerHost {
  const folder = env['DOCKER_CONFIG'] || join(home, '.docker');
  const host = env['DOCKER_HOST'];
  if (host !== undefined && host !== '') return fromEnvironment(host, env, folder);
  const context = env['DOCKER_CONTEXT'] || currentContext(folder);
  if (context !== undefined && context !== 'default') return fromContext(context, folder);
  const own = join(home, '.docker', 'run', 'docker.sock');
  const socket = !existsSync(DEFAULT_SOCKET) && existsSync(own) ? own : DEFAULT_SOCKET;
  return { url: `unix://${socket}`, from: 'default' };
}

function fromEnvironment(host: string, env: Environment, folder: string): DockerHost {
  const url = host.includes('://') ? host : `tcp://${host}`;
  const secure = env['DOCKER_TLS_VERIFY'] !== undefined && env['DOCKER_TLS_VERIFY'] !== '';
  const tls = secure ? readKeys(env['DOCKER_CERT_PATH'] || folder) : undefined;
  return { url: requireUsable(url, 'DOCKER_HOST'), from: 'DOCKER_HOST', tls };
}

function fromContext(name: string, folder: string): DockerHost {
  const id = createHash('sha256').update(name).digest('hex');
  const file = join(folder, 'contexts', 'meta', id, 'meta.json');
  const from = `docker context ${name}`;
  const meta = readJson(file) as { Endpoints?: { docker?: { Host?: string } } } | undefined;
  const url = meta?.Endpoints?.docker?.Host;
  if (url === undefined) {
    throw new ShipError('config', `${from} has no address: ${file} is missing or not readable`, {
      hint: 'choose another one: docker context use default',
    });
  }
  const keys = join(folder, 'contexts', 'tls', id, 'docker');
  return {
    url: requireUsable(url, from),
    from,
    tls: existsSync(keys) ? readKeys(keys) : undefined,
  };
}

/** docker-modem would reach ssh:// without checking the host key, so it is refused by name. */
function requireUsable(url: string, from: string): string {
  if (url.startsWith('unix:///') || /^(tcp|https?):\/\/[^/]+/.test(url)) return url;
  const ssh = url.startsWith('ssh://');
  throw new ShipError('config', `${from} is ${url}: only unix:// and tcp:// can be used`, {
    hint: ssh
      ? `forward its socket yourself: ssh -nNT -L /tmp/docker.sock:${DEFAULT_SOCKET} ${url.slice(6)} & export DOCKER_HOST=unix:///tmp/docker.sock`
      : `export DOCKER_HOST=unix://${DEFAULT_SOCKET}`,
  });
}

function readKeys(folder: string): DockerHost['tls'] {
  try {
    const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) =>
      readFileSync(join(folder, name)),
    ) as [Buffer, Buffer, Buffer];
    return { ca, cert, key };
  } catch (error) {
    throw new ShipError('config', `the TLS files of Docker in ${folder} cannot be read`, {
      hint: `ls ${folder}/{ca,cert,key}.pem`,
      cause: error,
    });
  }
}

function currentContext(folder: string): string | undefined {
  const config = readJson(join(folder, 'config.json')) as { currentContext?: string } | undefined;
  return config?.currentContext;
}

/** @returns undefined when there is no such file or it is no JSON */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
