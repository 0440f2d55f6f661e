import { randomInt } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import { apiEngine } from '../../../src/system/docker-build.ts';
import { connectDocker } from '../../../src/system/docker.ts';
import { buildWith, failureOf, recordedRun, requestOf } from '../../support/docker-build.ts';
import { BASE_IMAGE, importBase } from '../../support/docker-images.ts';
import { processesWith, startOwnDockerd, type OwnDockerd } from '../../support/dockerd.ts';
import { missingPart, run, until } from '../../support/parts.ts';
import { randomNumbers, seedOf } from '../../support/random.ts';

/** What happens when a dockerd of our own is gone, killed, stopped or told to cancel. */
const missing = await missingPart('dockerd', () => run(['dockerd', '--version']));
const seed = seedOf('F7');

let own: OwnDockerd;
const markers: string[] = [];
beforeAll(async () => {
  if (missing !== undefined) return;
  own = await startOwnDockerd();
  await importBase(own.env);
}, 120_000);
afterAll(async () => own?.stop());

/** A RUN step that sleeps for a time that no other process sleeps for, so that it can be found. */
function longStep(): { readonly marker: string; readonly dockerfile: string } {
  const marker = `sleep ${randomInt(7_000, 900_000)}.${randomInt(1, 9_999)}`;
  markers.push(marker);
  return { marker, dockerfile: `FROM ${BASE_IMAGE}\nRUN ${marker}` };
}

describe('F1', () => {
  test('F1: a wrong socket is exit class 4 within 5 s and names the socket and the fix', async () => {
    const docker = await connectDocker({ DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    const started = performance.now();
    const error = await failureOf(
      buildWith(apiEngine(docker), requestOf('FROM scratch'), recordedRun()),
    );
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(exitCode(error.kind)).toBe(4);
    expect(error.message).toContain('unix:///nowhere/docker.sock (DOCKER_HOST)');
    expect(error.hint).toMatch(/start Docker|DOCKER_HOST/);
  });
});

describe.skipIf(missing !== undefined)('a dockerd of our own', () => {
  afterEach(async () => {
    // A killed daemon leaves its RUN step to nobody.
    for (const marker of markers.splice(0)) {
      for (const pid of await processesWith(`^${marker}$`)) process.kill(pid, 'SIGKILL');
    }
  });

  test('F4: dockerd killed in the middle of a build is exit class 4, and nothing is tagged', async () => {
    const docker = await connectDocker(own.env);
    const { marker, dockerfile } = longStep();
    const request = requestOf(dockerfile, { name: 'ciliumship-test/killed:1' });
    const failed = failureOf(buildWith(apiEngine(docker), request, recordedRun()));
    await until('the step runs', 60, async () => (await processesWith(`^${marker}$`)).length > 0);
    await own.kill();
    const error = await failed;
    const gone = await failureOf(docker.ping());
    await own.restart();
    expect(exitCode(error.kind)).toBe(4);
    expect(error.message).toContain(own.env['DOCKER_HOST']);
    expect(gone.message).toMatch(/is not running|is not there/);
    expect(await docker.inspect(request.name)).toBeUndefined();
  });

  test('F5: a dockerd that is stopped is given up after the silence, exit class 4', async () => {
    const docker = await connectDocker(own.env);
    const { marker, dockerfile } = longStep();
    const patience = { silence: 500, answer: 500, idle: 60_000 };
    const engine = apiEngine(docker, { patience });
    const failed = failureOf(buildWith(engine, requestOf(dockerfile), recordedRun()));
    await until('the step runs', 60, async () => (await processesWith(`^${marker}$`)).length > 0);
    own.signal('SIGSTOP');
    const error = await failed;
    const unanswered = await failureOf(docker.ping());
    own.signal('SIGCONT');
    expect(exitCode(error.kind)).toBe(4);
    expect(error.message).toContain('stopped answering');
    expect(unanswered.message).toContain('does not answer');
    await until('the step ends', 30, async () => (await processesWith(`^${marker}$`)).length === 0);
  });

  test.each(randomPoints(8))(
    'F7: a build that is interrupted after %i ms is cancelled in the daemon and lets go of it',
    async (delay) => {
      const docker = await connectDocker(own.env);
      const { marker, dockerfile } = longStep();
      const stop = new AbortController();
      const reason = new ShipError('interrupted', 'interrupted');
      const request = requestOf(`${dockerfile}\nRUN false`, {
        name: `ciliumship-test/cut:${delay}`,
      });
      const failed = failureOf(buildWith(apiEngine(docker), request, recordedRun(stop.signal)));
      setTimeout(() => stop.abort(reason), delay);
      expect(await failed).toBe(reason);
      await until(
        'the step is gone',
        30,
        async () => (await processesWith(`^${marker}$`)).length === 0,
      );
      await until('no connection is left', 10, () => own.connections() === 0);
      expect(await docker.inspect(request.name)).toBeUndefined();
    },
  );

  test('F7: a build that is interrupted while its step runs ends that step', async () => {
    const docker = await connectDocker(own.env);
    const { marker, dockerfile } = longStep();
    const stop = new AbortController();
    const reason = new ShipError('terminated', 'terminated');
    const failed = failureOf(
      buildWith(apiEngine(docker), requestOf(dockerfile), recordedRun(stop.signal)),
    );
    await until('the step runs', 60, async () => (await processesWith(`^${marker}$`)).length > 0);
    stop.abort(reason);
    expect(await failed).toBe(reason);
    await until(
      'the step is gone',
      30,
      async () => (await processesWith(`^${marker}$`)).length === 0,
    );
  });
});

/** Points from before the first byte to well inside the RUN step, the same for the same seed. */
function randomPoints(count: number): readonly number[] {
  const below = randomNumbers(seed);
  return Array.from({ length: count }, () => below(800));
}
