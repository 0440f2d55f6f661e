import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { isDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { Argv } from '../core/remote.ts';
import type { Run } from '../core/step.ts';
import type { EngineRequest } from './docker-build.ts';
import { buildLog, type BuildLog } from './docker-log.ts';
import { decodeRawJson } from './docker-trace.ts';
import { metered, PATIENCE, watchSilence, type Patience, type Watch } from './docker-watch.ts';
import type { DockerDaemon } from './docker.ts';
import { runProcess } from './process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The digests that buildx reports: of the manifest, and of the config. */
export interface BuildxResult {
  readonly id: Digest;
  readonly config?: Digest;
}

export interface BuildxEngine {
  readonly kind: 'buildx';
  build(request: EngineRequest, context: Readable, run: Run): Promise<BuildxResult>;
}

export interface BuildxOptions {
  readonly patience?: Partial<Patience>;
  /** The docker command line; another one only in tests. */
  readonly command?: string;
}

/** Settings of a user's shell that would change what is built, where, or how it is reported. */
const SCRUBBED = {
  BUILDX_BUILDER: undefined,
  BUILDX_BAKE_ENTITLEMENTS_FS: undefined,
  BUILDX_METADATA_PROVENANCE: undefined,
  BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
  BUILDKIT_PROGRESS: undefined,
  BUILDKIT_COLORS: undefined,
  DOCKER_BUILDKIT: undefined,
  DOCKER_DEFAULT_PLATFORM: undefined,
  SOURCE_DATE_EPOCH: undefined,
} as const;

/** Attestations would make `docker save` write an index that containerd cannot import. */
const PLAIN = ['--provenance=false', '--sbom=false', '--progress=rawjson', '--load'] as const;

/** Builds with the buildx plugin: knows credential helpers and a builder's own mirrors. */
export function buildxEngine(docker: DockerDaemon, options: BuildxOptions = {}): BuildxEngine {
  return {
    kind: 'buildx',
    build: (request, context, run) => buildThroughCli(docker, options, { request, context, run }),
  };
}

/**
 * @returns version of the plugin (`0.29.1`), or undefined when there is none
 */
export async function buildxVersion(command = 'docker'): Promise<string | undefined> {
  const found = await runProcess([command, 'buildx', 'version'], {
    timeout: 10_000,
    accept: [1, 125],
  }).catch(() => undefined);
  if (found?.code !== 0) return undefined;
  return /\bv?(\d+\.\d+\.\d+)/.exec(found.stdout)?.[1];
}

async function buildThroughCli(
  docker: DockerDaemon,
  options: BuildxOptions,
  { request, context, run }: { request: EngineRequest; context: Readable; run: Run },
): Promise<BuildxResult> {
  // It may fail before anybody reads it.
  context.on('error', () => undefined);
  let watch: Watch | undefined;
  using folder = temporaryFolder();
  try {
    run.signal.throwIfAborted();
    await docker.ping(run.signal);
    const patience = { ...PATIENCE, ...options.patience };
    watch = watchSilence(docker.host, docker.api, run.signal, patience);
    const metadata = join(folder.path, 'metadata.json');
    const argv = buildxArgv(options.command ?? 'docker', request, metadata);
    await followBuildx(argv, request.key, { context, run, watch, url: docker.host.url });
    return await readMetadata(metadata, request.key);
  } catch (error) {
    throw watch?.reason(error, `build of ${request.key}`) ?? error;
  } finally {
    watch?.stop();
    context.destroy();
  }
}

/** The command line; the context comes on standard input, filtered on our side. */
export function buildxArgv(command: string, request: EngineRequest, metadata: string): Argv {
  return [
    command,
    'buildx',
    'build',
    ...PLAIN,
    '--metadata-file',
    metadata,
    '--platform',
    request.platform,
    '--file',
    request.dockerfile,
    ...(request.target === undefined ? [] : ['--target', request.target]),
    ...(request.network === undefined ? [] : ['--network', request.network]),
    ...Object.entries(request.buildArgs).flatMap(([name, value]) => [
      '--build-arg',
      `${name}=${value}`,
    ]),
    '--tag',
    request.name,
    '-',
  ];
}

/** buildx prints its statuses to stderr as JSON lines, and its last words between them. */
export async function followBuildx(
  argv: Argv,
  key: string,
  io: {
    readonly context: Readable;
    readonly run: Run;
    readonly watch: Watch;
    readonly url: string;
  },
): Promise<void> {
  const log = buildLog(key);
  const words: string[] = [];
  const { code } = await runProcess(argv, {
    env: { ...SCRUBBED, ...(io.url.startsWith('unix:') ? { DOCKER_HOST: io.url } : {}) },
    source: metered(io.context, io.watch),
    signal: io.watch.signal,
    accept: [1],
    onLine: (line) => {
      io.watch.touch();
      if (!showLine(line, log, io.run)) words.push(line);
    },
  });
  if (code !== 0) throw log.failure(words.slice(-5).join(' '));
}

/** @returns false when the line is no status */
function showLine(line: string, log: BuildLog, run: Run): boolean {
  const status = decodeRawJson(line);
  if (status === undefined) return false;
  const text = log.record(status);
  if (text !== undefined) run.progress({ text });
  return true;
}

/**
 * Reads what `--metadata-file` says.
 *
 * @throws ShipError `build` when buildx wrote no digest
 */
export async function readMetadata(file: string, key: string): Promise<BuildxResult> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const found = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const id = digestOf(found['containerimage.digest']);
  const config = digestOf(found['containerimage.config.digest']);
  const first = id ?? config;
  if (first !== undefined) return { id: first, ...(config === undefined ? {} : { config }) };
  throw new ShipError('build', `${key}: build result missing: buildx wrote no digest`, {
    hint: 'run docker buildx version: 0.13 or later is needed; or set build.engine: docker-api',
  });
}

function digestOf(value: unknown): Digest | undefined {
  return typeof value === 'string' && isDigest(value) ? value : undefined;
}
