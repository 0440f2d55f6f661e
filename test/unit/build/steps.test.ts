import { describe, expect, test } from 'vitest';
import { buildSteps } from '../../../src/build/steps.ts';
import type { BuildRequest } from '../../../src/build/request.ts';
import type { BuiltImage } from '../../../src/core/image.ts';
import { failureOf, recordedRun, requestOf } from '../../support/docker-build.ts';
import { fakeDocker, type FakeDocker } from '../../support/fake-docker.ts';
import { digestOf } from '../../support/values.ts';

const DOCKERFILE = 'FROM base\nRUN make';

async function build(docker: FakeDocker, request: BuildRequest): Promise<BuiltImage | undefined> {
  const [step] = buildSteps([request], docker.engine, docker.images);
  return step?.run(recordedRun());
}

/** A Docker in which somebody else does something right after each build. */
function meddled(meddle: (docker: FakeDocker, name: string) => void): FakeDocker {
  const docker = fakeDocker();
  const engine: FakeDocker['engine'] = {
    kind: 'docker-api',
    build: async (request, context, run) => {
      const built = await docker.engine.build(request, context, run);
      meddle(docker, request.name);
      return built;
    },
  };
  return { ...docker, engine };
}

describe('a step that builds', () => {
  test('gives the image that Docker then has under the name', async () => {
    const docker = fakeDocker();
    const image = await build(docker, requestOf(DOCKERFILE));
    const seen = docker.tags.get('ciliumship-test/built:1');
    expect(image).toEqual({ key: 'cilium', name: 'ciliumship-test/built:1', ...seen });
  });

  test('has no look before it: only a build knows whether its result would differ', () => {
    const { engine, images } = fakeDocker();
    const [step] = buildSteps([requestOf(DOCKERFILE)], engine, images);
    expect(step?.done).toBeUndefined();
    expect(step?.id).toBe('build/cilium');
    expect(step?.title).toBe('build cilium as ciliumship-test/built:1');
  });

  test('plans the whole build as one line', () => {
    const { engine, images } = fakeDocker();
    const request = requestOf(DOCKERFILE, { target: 'release', buildArgs: { A: '1' } });
    const [step] = buildSteps([request], engine, images);
    expect(step?.plan?.()).toEqual([
      `docker-api: build -f Dockerfile --platform linux/amd64 --target release --build-arg A=1 -t ciliumship-test/built:1 ${request.context}`,
    ]);
  });

  test('shows the failing step as the engine tells it', async () => {
    const docker = fakeDocker(() => ({ step: 'RUN make', printed: ['no rule'] }));
    const error = await failureOf(build(docker, requestOf(DOCKERFILE)));
    expect(error.message).toBe('cilium: step RUN make failed');
    expect(error.details).toEqual(['no rule']);
  });
});

describe('a build is no success', () => {
  test('when the name is gone', async () => {
    const docker = meddled(({ tags }, name) => void tags.delete(name));
    const error = await failureOf(build(docker, requestOf(DOCKERFILE)));
    expect(error.message).toContain('but Docker has no ciliumship-test/built:1');
    expect(error.retryable).toBe(true);
  });

  test('when the name points at another image', async () => {
    const other = { id: digestOf('other'), diffIds: [], platform: 'linux/amd64' } as const;
    const docker = meddled(({ tags }, name) => void tags.set(name, other));
    const error = await failureOf(build(docker, requestOf(DOCKERFILE)));
    expect(error.message).toContain('but ciliumship-test/built:1 is');
    expect(error.retryable).toBe(true);
  });

  test('when the image is for another platform', async () => {
    const docker = meddled(({ tags }, name) => {
      const image = tags.get(name);
      if (image !== undefined) tags.set(name, { ...image, platform: 'linux/arm64' });
    });
    const error = await failureOf(build(docker, requestOf(DOCKERFILE)));
    expect(error.message).toContain('is for linux/arm64, not linux/amd64');
    expect(error.retryable).toBe(false);
  });
});
