import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import type {
  BuildEngine,
  BuildRequest,
  DockerImages,
  InspectedImage,
} from '../../src/build/request.ts';
import { ShipError } from '../../src/core/errors.ts';
import type { Run } from '../../src/core/step.ts';
import { digestOf } from './values.ts';

/** A Docker that keeps images in memory. */
export interface FakeDocker {
  readonly engine: BuildEngine;
  readonly images: DockerImages;
  /** Name → image; a test may change it behind our back. */
  readonly tags: Map<string, InspectedImage>;
  /** Names in the order in which they were built. */
  readonly built: string[];
}

/** How a step of a build fails: its command, and what it printed. */
export interface FailingStep {
  readonly step: string;
  readonly printed: readonly string[];
}

/**
 * test/contract/docker.test.ts holds it to what a real Docker does.
 *
 * @param failing called with the Dockerfile; a step that it gives fails the build
 */
export function fakeDocker(
  failing: (dockerfile: string) => FailingStep | undefined = () => undefined,
): FakeDocker {
  const tags = new Map<string, InspectedImage>();
  const built: string[] = [];
  return {
    tags,
    built,
    engine: {
      kind: 'docker-api',
      build: async (request, context, run) => {
        const image = await buildImage(request, context, run, failing);
        tags.set(request.name, image);
        built.push(request.name);
        return { id: image.id };
      },
    },
    images: {
      inspect: async (name, signal) => {
        signal.throwIfAborted();
        return tags.get(name);
      },
    },
  };
}

/** As the real one: the context is read to its end, or destroyed. */
async function buildImage(
  request: BuildRequest,
  context: Readable,
  run: Run,
  failing: (dockerfile: string) => FailingStep | undefined,
): Promise<InspectedImage> {
  context.on('error', () => undefined);
  try {
    run.signal.throwIfAborted();
    const { dockerfile, hash } = await readContext(context, request.dockerfile);
    const failed = failing(dockerfile);
    if (failed !== undefined) throw stepFailed(request, failed);
    const steps = dockerfile.split('\n').filter((line) => line.startsWith('RUN '));
    for (const step of steps) run.progress({ text: step });
    const { target = '', platform, buildArgs } = request;
    const parts = JSON.stringify([hash, target, platform, buildArgs]);
    return { id: digestOf(parts), diffIds: ['base', ...steps].map(digestOf), platform };
  } finally {
    context.destroy();
  }
}

async function readContext(
  context: Readable,
  wanted: string,
): Promise<{ readonly dockerfile: string; readonly hash: string }> {
  const hash = createHash('sha256');
  let dockerfile = '';
  const entries = extract();
  context.on('error', (error) => entries.destroy(error));
  if (context.errored !== null) throw context.errored;
  for await (const entry of context.pipe(entries)) {
    const content = await text(entry);
    hash.update(`${entry.header.name}\0${content}\0`);
    if (entry.header.name === wanted) dockerfile = content;
  }
  return { dockerfile, hash: hash.digest('hex') };
}

function stepFailed({ key }: BuildRequest, { step, printed }: FailingStep): ShipError {
  return new ShipError('build', `${key}: step ${step} failed`, { details: printed.slice(-20) });
}
