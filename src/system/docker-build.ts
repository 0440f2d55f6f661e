import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { isDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { Platform } from '../core/image.ts';
import type { Run } from '../core/step.ts';
import { buildLog, type BuildLog } from './docker-log.ts';
import { requestDocker } from './docker-request.ts';
import { openSession, type DockerSession, type RegistryLogin } from './docker-session.ts';
import { decodeTrace } from './docker-trace.ts';
import { metered, PATIENCE, watchSilence, type Patience, type Watch } from './docker-watch.ts';
import type { DockerDaemon } from './docker.ts';

/** What an engine needs to know of an image; the context comes as a tar. */
export interface EngineRequest {
  readonly key: string;
  /** `REPO:TAG`. */
  readonly name: string;
  /** Path inside the context. */
  readonly dockerfile: string;
  readonly target?: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly platform: Platform;
  readonly network?: 'none' | 'host' | undefined;
}

export interface ApiEngine {
  readonly kind: 'docker-api';
  build(request: EngineRequest, context: Readable, run: Run): Promise<{ readonly id: Digest }>;
}

export interface ApiEngineOptions {
  /** Login for a registry that the daemon asks for; none when absent. */
  readonly login?: (registry: string) => Promise<RegistryLogin | undefined>;
  readonly patience?: Partial<Patience>;
}

/** A line of the build stream. */
interface BuildRecord {
  readonly id?: string;
  readonly aux?: unknown;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

/** Builds with BuildKit through the Engine API (`version=2`), which needs no docker command line. */
export function apiEngine(docker: DockerDaemon, options: ApiEngineOptions = {}): ApiEngine {
  return {
    kind: 'docker-api',
    build: (request, context, run) => buildThroughApi(docker, options, { request, context, run }),
  };
}

interface Job {
  readonly request: EngineRequest;
  readonly context: Readable;
  readonly run: Run;
}

/**
 * @throws ShipError `build`; the abort reason when `run.signal` ends it, after the daemon was told
 * to cancel
 */
async function buildThroughApi(
  docker: DockerDaemon,
  options: ApiEngineOptions,
  job: Job,
): Promise<{ readonly id: Digest }> {
  const { run, request } = job;
  const patience = { ...PATIENCE, ...options.patience };
  const buildId = randomUUID();
  // It may fail before anybody reads it.
  job.context.on('error', () => undefined);
  let watch: Watch | undefined;
  let session: DockerSession | undefined;
  try {
    run.signal.throwIfAborted();
    await docker.ping(run.signal);
    watch = watchSilence(docker.host, docker.api, run.signal, patience);
    session = await openSession(docker.api, options.login ?? noLogin, watch.signal);
    const query = queryOf(request, session.id, buildId);
    const records = await startBuild(docker.api, query, job.context, watch);
    return await followBuild(records, request.key, watch, run);
  } catch (error) {
    // Closing the connection cancels too; this also holds when a proxy keeps it open.
    if (run.signal.aborted) await cancelBuild(docker.api, buildId);
    throw watch?.reason(error, `build of ${request.key}`) ?? error;
  } finally {
    watch?.stop();
    session?.close();
    job.context.destroy();
  }
}

async function noLogin(): Promise<undefined> {
  return undefined;
}

function queryOf(
  request: EngineRequest,
  session: string,
  buildid: string,
): Readonly<Record<string, unknown>> {
  return {
    version: '2',
    t: request.name,
    dockerfile: request.dockerfile,
    buildargs: request.buildArgs,
    platform: request.platform,
    session,
    buildid,
    ...(request.target === undefined ? {} : { target: request.target }),
    ...(request.network === undefined ? {} : { networkmode: request.network }),
  };
}

/** Sends the context; the response starts as soon as the daemon has something to say. */
async function startBuild(
  api: Docker,
  query: Readonly<Record<string, unknown>>,
  context: Readable,
  watch: Watch,
): Promise<Readable> {
  const { signal } = watch;
  return requestDocker<Readable>(api, {
    method: 'POST',
    path: '/build?',
    query,
    signal,
    stream: true,
    body: metered(context, watch),
  });
}

/**
 * Reads records to the end. Only the record with the image's id is a result: a stream may end
 * without an error and without an image (F3).
 */
async function followBuild(
  records: Readable,
  key: string,
  watch: Watch,
  run: Run,
): Promise<{ readonly id: Digest }> {
  const log = buildLog(key);
  let id: Digest | undefined;
  try {
    for await (const record of readRecords(records)) {
      watch.touch();
      id = takeRecord(record, log, run) ?? id;
    }
  } finally {
    records.destroy();
  }
  if (id !== undefined) return { id };
  throw new ShipError('build', `${key}: build result missing: Docker ended without an image id`, {
    hint: 'look at its log (journalctl -u docker) and run ciliumship build again',
    retryable: true,
  });
}

/** @returns the id of the image when this record has it */
function takeRecord(record: BuildRecord, log: BuildLog, run: Run): Digest | undefined {
  const failure = record.errorDetail?.message ?? record.error;
  if (failure !== undefined) throw log.failure(failure);
  if (record.id === 'moby.buildkit.trace' && typeof record.aux === 'string') {
    const text = log.record(decodeTrace(record.aux));
    if (text !== undefined) run.progress({ text });
  }
  const aux = record.aux as { readonly ID?: unknown } | undefined;
  const found = record.id === 'moby.image.id' ? aux?.ID : undefined;
  return typeof found === 'string' && isDigest(found) ? found : undefined;
}

async function* readRecords(stream: Readable): AsyncGenerator<BuildRecord> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '').map(parseRecord);
  }
  if (rest.trim() !== '') yield parseRecord(rest);
}

function parseRecord(line: string): BuildRecord {
  try {
    return JSON.parse(line) as BuildRecord;
  } catch (error) {
    throw new ShipError('build', `docker sent a build record that is cut: ${line.slice(0, 80)}`, {
      hint: 'run ciliumship build again',
      retryable: true,
      cause: error,
    });
  }
}

async function cancelBuild(api: Docker, id: string): Promise<void> {
  const signal = AbortSignal.timeout(2_000);
  const path = `/build/cancel?id=${id}`;
  await requestDocker(api, { method: 'POST', path, signal }).catch(() => undefined);
}
