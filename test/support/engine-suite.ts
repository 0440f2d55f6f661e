import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { BuildEngine } from '../../src/build/request.ts';
import { buildSteps } from '../../src/build/steps.ts';
import { exitCode } from '../../src/core/errors.ts';
import { buildxEngine } from '../../src/system/buildx.ts';
import { apiEngine } from '../../src/system/docker-build.ts';
import type { DockerDaemon } from '../../src/system/docker.ts';
import { buildWith, failureOf, recordedRun, requestOf } from './docker-build.ts';
import { BASE_IMAGE } from './docker-images.ts';

export type EngineKind = BuildEngine['kind'];

/** Its second stage starts after a minute, when a daemon has dropped a session that did not answer. */
const SLOW = [
  `FROM ${BASE_IMAGE} AS slow`,
  'ARG FRESH',
  'RUN sleep 60; echo "$FRESH" > /slow',
  `FROM ${BASE_IMAGE} AS release`,
  'COPY --from=slow /slow /slow',
  'RUN cat /slow',
].join('\n');

/**
 * What every engine must do on every Docker. All tests run at once, because one takes a minute.
 *
 * @param on which Docker, for the titles
 */
export function engineTests(
  kind: EngineKind,
  on: string,
  daemon: () => Promise<DockerDaemon>,
): void {
  const engineOn = (docker: DockerDaemon): BuildEngine =>
    kind === 'buildx' ? buildxEngine(docker) : apiEngine(docker);
  const name = (what: string): string => `ciliumship-test/${kind}-${what}:1`;

  describe.concurrent(`${kind} on ${on}`, () => {
    test('builds the target with its arguments, and the tag points at the result', async () => {
      const docker = await daemon();
      const value = `b 'c' $d ${randomUUID()}`;
      const lines = `FROM ${BASE_IMAGE} AS release\nARG A\nRUN echo "saw $A" > /a; cat /a\nFROM release AS other\nRUN false`;
      const request = requestOf(lines, {
        name: name('built'),
        target: 'release',
        buildArgs: { A: value },
      });
      const [step] = buildSteps([request], engineOn(docker), docker);
      const recorded = recordedRun();
      const image = await step?.run(recorded);
      expect(image).toMatchObject({ name: request.name, platform: 'linux/amd64' });
      expect(image?.diffIds).toHaveLength(2);
      expect((await docker.inspect(request.name))?.id).toBe(image?.id);
      expect(recorded.lines.join('\n')).toContain(`saw ${value}`);
    });

    test('D26: no variable of this machine gets into an image, or into what is said of it', async ({
      onTestFinished,
    }) => {
      const canary = `canary-${randomUUID()}`;
      process.env['CILIUMSHIP_TEST_TOKEN'] = canary;
      onTestFinished(() => void delete process.env['CILIUMSHIP_TEST_TOKEN']);
      const docker = await daemon();
      const lines = `FROM ${BASE_IMAGE}\nARG CILIUMSHIP_TEST_TOKEN\nRUN echo ${randomUUID()}; env | tee /env; cat /proc/self/environ > /environ`;
      const request = requestOf(lines, { name: name('secrets') });
      const recorded = recordedRun();
      await buildWith(engineOn(docker), request, recorded);
      const saved = await buffer(await docker.save([request.name]));
      expect(saved.includes('PATH=')).toBe(true);
      expect(saved.includes(canary)).toBe(false);
      expect(recorded.lines.join('\n')).not.toContain(canary);
    });

    test('F2: a RUN step that fails is exit class 4 with the step and its last 20 lines', async () => {
      const docker = await daemon();
      const request = requestOf(`FROM ${BASE_IMAGE}\nRUN seq 1 30; false`, { name: name('fails') });
      const error = await failureOf(buildWith(engineOn(docker), request, recordedRun()));
      expect(exitCode(error.kind)).toBe(4);
      expect(error.message).toContain('RUN seq 1 30; false');
      expect(error.details).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 11)));
      expect(await docker.inspect(request.name)).toBeUndefined();
    });

    test('F2: a base image that cannot be had is exit class 4 and named', async () => {
      const docker = await daemon();
      const request = requestOf('FROM 127.0.0.1:1/nothing/here:1');
      const error = await failureOf(buildWith(engineOn(docker), request, recordedRun()));
      expect(exitCode(error.kind)).toBe(4);
      expect(error.message).toContain('127.0.0.1:1/nothing/here:1');
    });

    test('F6: RUN sleep 60 before a stage that starts only then is waited for, three at once', async () => {
      const docker = await daemon();
      const requests = ['one', 'two', 'three'].map((key) =>
        requestOf(SLOW, {
          key,
          name: name(key),
          target: 'release',
          // Part of the cache key of each step, so that it runs anew.
          buildArgs: { FRESH: randomUUID() },
        }),
      );
      const steps = buildSteps(requests, engineOn(docker), docker);
      const images = await Promise.all(steps.map((step) => step.run(recordedRun())));
      expect(new Set(images.map(({ id }) => id)).size).toBe(3);
    }, 240_000);
  });
}
