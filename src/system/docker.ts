import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import type { default as Docker, DockerOptions, ImageInspectInfo } from 'dockerode';
import { parseDigest, type Digest } from '../core/digest.ts';
import type { Platform } from '../core/image.ts';
import { dockerError } from './docker-errors.ts';
import { findDockerHost, type DockerHost } from './docker-host.ts';
import { pingDocker, requestDocker } from './docker-request.ts';
import { watchSilence, type Watch } from './docker-watch.ts';

/**
 * Milliseconds for a daemon that is busy with builds of others. One that does not run, or a wrong
 * socket, is refused at once.
 */
const ANSWER_WITHIN = 10_000;

/** What Docker says about itself. */
export interface DockerInfo {
  readonly url: string;
  readonly from: string;
  /** `28.5.2`. */
  readonly version: string;
  /** `1.51`. */
  readonly apiVersion: string;
  /** `containerd` has an id that is not the config digest, and saves attestations. */
  readonly store: 'classic' | 'containerd';
}

/** An image as Docker describes it. */
export interface DockerImage {
  /** Config digest on the classic store, manifest or index digest on the containerd store. */
  readonly id: Digest;
  /** From the lowest layer to the highest. */
  readonly diffIds: readonly Digest[];
  readonly platform: Platform;
  /** Bytes of its layers; with the containerd store those of their compressed form, too. */
  readonly size: number;
  readonly repoDigests: readonly string[];
}

/** A Docker that was found, with the few calls that are needed of it. */
export interface DockerDaemon {
  readonly host: DockerHost;
  /** For the other adapters of this folder only. */
  readonly api: Docker;
  /** @throws ShipError `build` within 10 s when Docker does not answer, naming its socket */
  ping(signal?: AbortSignal): Promise<void>;
  /** @throws ShipError `build` as `ping` */
  info(signal?: AbortSignal): Promise<DockerInfo>;
  /** @returns undefined when there is no such image. @throws ShipError `build` as `ping` */
  inspect(name: string, signal?: AbortSignal): Promise<DockerImage | undefined>;
  /**
   * One tar with all names, as `docker save` writes it. The stream fails with ShipError `build`
   * when the connection ends early or Docker stalls; a whole stream may still end in an error
   * record of Docker (HTTP cannot say so any more), so its reader must check every digest.
   *
   * @param platform only this one; needs API 1.48
   */
  save(names: readonly string[], signal?: AbortSignal, platform?: Platform): Promise<Readable>;
}

/**
 * Finds Docker and prepares to talk to it; nothing is sent yet.
 *
 * @throws ShipError `config` when its address cannot be used
 */
export async function connectDocker(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<DockerDaemon> {
  const host = findDockerHost(env);
  const api = await loadDockerode(host);
  return {
    host,
    api,
    ping: (signal) => ask(host, 'ping', signal, (stop) => pingDocker(api, stop)),
    info: (signal) => ask(host, 'info', signal, (stop) => readInfo(api, host, stop)),
    inspect: (name, signal) => ask(host, 'inspect', signal, (stop) => readImage(api, name, stop)),
    save: (names, signal, platform) => openSave({ api, host }, names, signal, platform),
  };
}

/**
 * Loads dockerode late, because it takes a third of a second, and with DEBUG taken away: under
 * DEBUG=modem it prints registry credentials and the TLS key (D9).
 */
async function loadDockerode(host: DockerHost): Promise<Docker> {
  delete process.env['DEBUG'];
  const { default: Dockerode } = await import('dockerode');
  return new Dockerode(optionsOf(host));
}

/** One connection for each request: kept ones have mixed up build contexts (docker-modem#196). */
function optionsOf({ url, tls }: DockerHost): DockerOptions {
  const { protocol, pathname, hostname, port } = new URL(url);
  const plain = new http.Agent({ keepAlive: false });
  // An explicit undefined hides the DOCKER_HOST that docker-modem reads by itself.
  if (protocol === 'unix:') {
    const socketPath = decodeURIComponent(pathname);
    return { socketPath, host: undefined, protocol: 'http', agent: plain } as DockerOptions;
  }
  if (tls === undefined && protocol !== 'https:') {
    return {
      host: hostname,
      port: port || '2375',
      protocol: 'http',
      agent: plain,
    } as DockerOptions;
  }
  const agent = new https.Agent({ keepAlive: false });
  return {
    host: hostname,
    port: port || '2376',
    protocol: 'https',
    ...tls,
    agent,
  } as DockerOptions;
}

/** Runs a short request against its deadline. */
async function ask<T>(
  host: DockerHost,
  doing: string,
  signal: AbortSignal | undefined,
  request: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(ANSWER_WITHIN);
  try {
    signal?.throwIfAborted();
    return await request(signal === undefined ? deadline : AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    throw dockerError(error, host, doing);
  }
}

async function readInfo(api: Docker, host: DockerHost, signal: AbortSignal): Promise<DockerInfo> {
  const get = <T>(path: string): Promise<T> =>
    requestDocker<T>(api, { method: 'GET', path, signal });
  const [info, version] = await Promise.all([
    get<{ readonly DriverStatus: readonly (readonly string[])[] | null }>('/info'),
    get<Record<'Version' | 'ApiVersion', string>>('/version'),
  ]);
  const containerd = (info.DriverStatus ?? []).some(
    ([key, value]) => key === 'driver-type' && value?.startsWith('io.containerd.snapshotter'),
  );
  return {
    url: host.url,
    from: host.from,
    version: version.Version,
    apiVersion: version.ApiVersion,
    store: containerd ? 'containerd' : 'classic',
  };
}

async function readImage(
  api: Docker,
  name: string,
  signal: AbortSignal,
): Promise<DockerImage | undefined> {
  const found = await requestDocker<ImageInspectInfo>(api, {
    method: 'GET',
    path: `/images/${name}/json`,
    signal,
  }).catch((error: { readonly statusCode?: number }) => {
    if (error.statusCode === 404) return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  return {
    id: parseDigest(found.Id, `the id of ${name}`),
    diffIds: (found.RootFS.Layers ?? []).map((layer) => parseDigest(layer, `a layer of ${name}`)),
    platform: `${found.Os}/${found.Architecture}`,
    size: found.Size,
    repoDigests: found.RepoDigests ?? [],
  };
}

async function openSave(
  { api, host }: { readonly api: Docker; readonly host: DockerHost },
  names: readonly string[],
  signal: AbortSignal | undefined,
  platform: Platform | undefined,
): Promise<Readable> {
  const watch = watchSilence(host, api, signal);
  const [os, architecture] = platform?.split('/') ?? [];
  const only = platform === undefined ? {} : { platform: JSON.stringify({ os, architecture }) };
  const response = await requestDocker<Readable>(api, {
    method: 'GET',
    path: '/images/get?',
    query: { names, ...only },
    signal: watch.signal,
    stream: true,
  }).catch((error: unknown) => {
    watch.stop();
    throw watch.reason(error, 'save');
  });
  return Readable.from(checked(response, watch), { objectMode: false });
}

async function* checked(response: Readable, watch: Watch): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      watch.touch();
      yield chunk;
    }
  } catch (error) {
    throw watch.reason(error, 'save');
  } finally {
    watch.stop();
    response.destroy();
  }
}
