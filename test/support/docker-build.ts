import { packContext } from '../../src/build/context.ts';
import type { BuildEngine, BuildRequest, Built } from '../../src/build/request.ts';
import { ShipError } from '../../src/core/errors.ts';
import type { Run } from '../../src/core/step.ts';
import { makeTree } from './docker-images.ts';

/** A run that keeps what it was told. */
export function recordedRun(signal: AbortSignal = new AbortController().signal): Run & {
  readonly lines: readonly string[];
} {
  const lines: string[] = [];
  return { signal, lines, progress: (step) => 'text' in step && void lines.push(step.text) };
}

/** A request for a tree of one Dockerfile, without network. */
export function requestOf(dockerfile: string, more: Partial<BuildRequest> = {}): BuildRequest {
  return {
    key: 'cilium',
    name: 'ciliumship-test/built:1',
    context: makeTree({ Dockerfile: dockerfile }),
    dockerfile: 'Dockerfile',
    buildArgs: {},
    platform: 'linux/amd64',
    network: 'none',
    ...more,
  };
}

/** Packs and builds. */
export async function buildWith(
  engine: BuildEngine,
  request: BuildRequest,
  run: Run,
): Promise<Built> {
  return engine.build(request, await packContext(request), run);
}

/** The ShipError that a promise is rejected with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<ShipError> {
  const error: unknown = await promise.then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  );
  if (error instanceof ShipError) return error;
  throw error;
}
