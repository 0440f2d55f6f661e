import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { packContext } from '../../src/build/context.ts';
import type { BuildEngine, DockerImages } from '../../src/build/request.ts';
import { exitCode, ShipError } from '../../src/core/errors.ts';
import { apiEngine } from '../../src/system/docker-build.ts';
import { connectDocker } from '../../src/system/docker.ts';
import { buildWith, failureOf, recordedRun, requestOf } from '../support/docker-build.ts';
import { BASE_IMAGE, importBase } from '../support/docker-images.ts';
import { fakeDocker } from '../support/fake-docker.ts';
import { missingPart, run } from '../support/parts.ts';

/** What building relies on of a Docker, held by the fake of its tests and by the real one. */
const missing = await missingPart('Docker', () => run(['docker', 'info']));
const { signal } = new AbortController();

interface Held {
  readonly engine: BuildEngine;
  readonly images: DockerImages;
}

const PRINTED = Array.from({ length: 30 }, (_, index) => String(index + 1));

async function openFake(): Promise<Held> {
  return fakeDocker((dockerfile) =>
    dockerfile.includes('; false') ? { step: 'RUN seq 1 30; false', printed: PRINTED } : undefined,
  );
}

async function openReal(): Promise<Held> {
  await importBase();
  const docker = await connectDocker();
  return { engine: apiEngine(docker), images: docker };
}

describe.each([
  ['the fake', openFake, undefined],
  ['the Docker of this machine', openReal, missing],
] as const)('%s', (title, open, skip) => {
  describe.skipIf(skip !== undefined)('is held', () => {
    let engine: BuildEngine;
    let images: DockerImages;
    beforeAll(async () => {
      ({ engine, images } = await open());
    });

    const name = `ciliumship-test/${title.replaceAll(/\W/g, '-').toLowerCase()}`;
    const lines = `FROM ${BASE_IMAGE}\nARG A\nRUN echo "$A" > /a`;

    test('knows nothing of an image that it does not have', async () => {
      expect(await images.inspect(`${name}-never:1`, signal)).toBeUndefined();
    });

    test('moves the name to what it built, with one diff ID for each layer', async () => {
      const request = requestOf(lines, { name: `${name}:1` });
      const { id } = await buildWith(engine, request, recordedRun());
      const seen = await images.inspect(request.name, signal);
      expect(seen).toMatchObject({ id, platform: 'linux/amd64' });
      expect(seen?.diffIds).toHaveLength(2);
    });

    test('builds the same from the same, and another image from another argument', async () => {
      const build = async (value: string): Promise<string> => {
        const request = requestOf(lines, { name: `${name}:2`, buildArgs: { A: value } });
        return (await buildWith(engine, request, recordedRun())).id;
      };
      const value = randomUUID();
      const first = await build(value);
      expect(await build(value)).toBe(first);
      const other = await build(randomUUID());
      expect(other).not.toBe(first);
      expect((await images.inspect(`${name}:2`, signal))?.id).toBe(other);
    });

    test('tells what runs', async () => {
      const recorded = recordedRun();
      const step = `RUN echo ${randomUUID()}`;
      const request = requestOf(`FROM ${BASE_IMAGE}\n${step}`, { name: `${name}:3` });
      await buildWith(engine, request, recorded);
      expect(recorded.lines.join('\n')).toContain(step);
    });

    test('says which step failed, with its last 20 lines, and moves no name', async () => {
      const request = requestOf(`FROM ${BASE_IMAGE}\nRUN seq 1 30; false`, { name: `${name}:4` });
      const error = await failureOf(buildWith(engine, request, recordedRun()));
      expect(error.message).toMatch(/^cilium: step .*RUN seq 1 30; false/);
      expect(exitCode(error.kind)).toBe(4);
      expect(error.details).toEqual(PRINTED.slice(-20));
      expect(await images.inspect(request.name, signal)).toBeUndefined();
    });

    test('builds nothing after an abort, gives its reason and lets go of the context', async () => {
      const reason = new ShipError('interrupted', 'interrupted');
      const aborted = recordedRun(AbortSignal.abort(reason));
      const request = requestOf(lines, { name: `${name}:5` });
      const context = await packContext(request);
      expect(await failureOf(engine.build(request, context, aborted))).toBe(reason);
      expect(context.destroyed).toBe(true);
      expect(await images.inspect(request.name, signal)).toBeUndefined();
      expect(await failureOf(images.inspect(request.name, aborted.signal))).toBe(reason);
    });

    test('fails with the error of a context that cannot be read to its end', async () => {
      const request = requestOf(lines, { name: `${name}:6` });
      const context = await packContext(request);
      const broken = new ShipError('build', 'a file changed while it was sent');
      const failed = failureOf(engine.build(request, context, recordedRun()));
      context.destroy(broken);
      expect(await failed).toBe(broken);
      expect(await images.inspect(request.name, signal)).toBeUndefined();
    });
  });
});
