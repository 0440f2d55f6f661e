import { createRequire } from 'node:module';
import protobuf from 'protobufjs';

/** One step of a build as BuildKit names it. */
export interface BuildVertex {
  readonly digest: string;
  /** `[builder 3/5] RUN make`. */
  readonly name: string;
  readonly started: boolean;
  readonly completed: boolean;
  readonly error: string;
}

/** What a build did since the last status. */
export interface BuildStatus {
  readonly vertexes: readonly BuildVertex[];
  readonly logs: readonly { readonly vertex: string; readonly data: Buffer }[];
}

interface RawStatus {
  readonly vertexes?: readonly {
    readonly digest: string;
    readonly name?: string;
    readonly started?: unknown;
    readonly completed?: unknown;
    readonly error?: string;
  }[];
  readonly logs?: readonly { readonly vertex: string; readonly msg?: Uint8Array }[];
}

let decoder: protobuf.Type | undefined;

/** dockerode brings the message definitions but exports only text made from them. */
function statusType(): protobuf.Type {
  const file = createRequire(import.meta.url).resolve('dockerode/lib/proto/buildkit_status.proto');
  decoder ??= protobuf.loadSync(file).lookupType('moby.buildkit.v1.StatusResponse');
  return decoder;
}

/**
 * Decodes one `moby.buildkit.trace` record of a build stream.
 *
 * @param aux base64 of a StatusResponse
 * @throws Error when it is none
 */
export function decodeTrace(aux: string): BuildStatus {
  const type = statusType();
  const raw = type.toObject(type.decode(Buffer.from(aux, 'base64'))) as RawStatus;
  return {
    vertexes: vertexesOf(raw),
    logs: (raw.logs ?? []).map(({ vertex, msg }) => ({
      vertex,
      data: Buffer.from(msg ?? new Uint8Array()),
    })),
  };
}

/**
 * Decodes one line of `docker buildx build --progress=rawjson`.
 *
 * @returns undefined when the line is no status (buildx also prints warnings there)
 */
export function decodeRawJson(line: string): BuildStatus | undefined {
  if (!line.startsWith('{')) return undefined;
  let raw: Omit<RawStatus, 'logs'> & {
    readonly logs?: readonly { readonly vertex: string; readonly data?: string }[];
  };
  try {
    raw = JSON.parse(line) as typeof raw;
  } catch {
    return undefined;
  }
  return {
    vertexes: vertexesOf(raw),
    logs: (raw.logs ?? []).map(({ vertex, data }) => ({
      vertex,
      data: Buffer.from(data ?? '', 'base64'),
    })),
  };
}

function vertexesOf({ vertexes }: Pick<RawStatus, 'vertexes'>): BuildStatus['vertexes'] {
  return (vertexes ?? []).map(({ digest, name, started, completed, error }) => ({
    digest,
    name: name ?? '',
    started: started !== undefined && started !== null,
    completed: completed !== undefined && completed !== null,
    error: error ?? '',
  }));
}
