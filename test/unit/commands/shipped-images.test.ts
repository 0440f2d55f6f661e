import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { imagesToRollOut, shippedImages } from '../../../src/commands/shared/shipped-images.ts';
import { digestOf, type Digest } from '../../../src/core/digest.ts';
import { digestName } from '../../../src/core/image.ts';
import { lockText } from '../../../src/drift/lock-file.ts';
import { testContext } from '../../support/context.ts';
import { startHttpDocker } from '../../support/docker-http.ts';
import { testFolder } from '../../support/folder.ts';

const CILIUM = 'quay.io/cilium/cilium:v1';
const OPERATOR = 'quay.io/cilium/operator-generic:v1';
const SHIPPED = digestOf('shipped');
const NEWER = digestOf('newer');
const LAYERS = [digestOf('base'), digestOf('agent')];
const CONTAINERD = [['driver-type', 'io.containerd.snapshotter.v1']];

afterEach(() => {
  vi.unstubAllEnvs();
});

function locked(name: string, config: Digest) {
  const digests = { config, manifest: digestOf(`manifest of ${config}`), layers: LAYERS };
  return { name, digestName: digestName(name, config), ...digests };
}

/** A folder whose lock says what was shipped, on a machine without Docker. */
function place(cilium = SHIPPED) {
  const folder = testFolder();
  vi.stubEnv('DOCKER_HOST', `unix://${folder}/no.sock`);
  vi.stubEnv('XDG_CACHE_HOME', folder);
  const images = {
    cilium: locked(CILIUM, cilium),
    'operator-generic': locked(OPERATOR, digestOf('operator')),
  };
  writeFileSync(
    join(folder, 'ciliumship.lock'),
    lockText({ version: 1, images, nodes: ['worker'] }),
  );
  return { folder, images };
}

function contextOf(folder: string, flags: object = {}, tag = 'v1') {
  return testContext(folder, flags, { tag });
}

async function withDocker(
  id: Digest,
  info: object = { Driver: 'overlay2' },
  layers: readonly Digest[] = [],
): Promise<void> {
  const RootFS = { Layers: layers };
  const image = { Id: id, Os: 'linux', Architecture: 'amd64', Size: 1, RootFS };
  const daemon = await startHttpDocker({
    [`/images/${CILIUM}/json`]: (response) => response.end(JSON.stringify(image)),
    '/info': (response) => response.end(JSON.stringify({ ...info, ServerVersion: '28' })),
    '/version': (response) => response.end('{"Version":"20.10","ApiVersion":"1.41"}'),
  });
  onTestFinished(() => daemon.stop());
  vi.stubEnv('DOCKER_HOST', daemon.env['DOCKER_HOST']);
}

describe('what is rolled out', () => {
  test('is what the lock says was shipped, on a machine that has no Docker', async () => {
    const { folder, images } = place();
    const { context, lines } = contextOf(folder);
    const found = await imagesToRollOut(context);
    expect(found.map((image) => image.digestName)).toEqual(
      Object.values(images).map((image) => image.digestName),
    );
    expect(lines.join('')).toContain('what ciliumship.lock says was shipped is rolled out');
    expect(await shippedImages(context)).toEqual(found);
  });

  test('is the same where Docker has these builds, and those that it lacks', async () => {
    const { folder } = place();
    await withDocker(SHIPPED);
    expect(await imagesToRollOut(contextOf(folder).context)).toHaveLength(2);
  });

  test('is refused while Docker has a build that was not shipped', async () => {
    const { folder } = place();
    await withDocker(NEWER);
    await expect(imagesToRollOut(contextOf(folder).context)).rejects.toMatchObject({
      kind: 'integrity',
      message: 'Docker has other images than were shipped',
      details: [expect.stringMatching(/^quay.io\/cilium\/cilium:v1: \w{12} in Docker, \w{12} was/)],
      hint: expect.stringContaining('ciliumship push --no-build'),
    });
  });

  test.each([{ locked: true }, { frozen: true }])(
    'is what the lock says with %o',
    async (flags) => {
      const { folder } = place();
      await withDocker(NEWER);
      expect(await imagesToRollOut(contextOf(folder, flags).context)).toHaveLength(2);
    },
  );

  test('is told by its layers where Docker does not tell the config', async () => {
    const { folder } = place();
    await withDocker(NEWER, { Driver: 'overlayfs', DriverStatus: CONTAINERD }, LAYERS);
    expect(await imagesToRollOut(contextOf(folder).context)).toHaveLength(2);
    await withDocker(NEWER, { Driver: 'overlayfs', DriverStatus: CONTAINERD }, [NEWER]);
    await expect(imagesToRollOut(contextOf(folder).context)).rejects.toMatchObject({
      details: [expect.stringContaining('other layers in Docker')],
    });
  });

  test('is nothing with --locked when the lock does not name it', async () => {
    const { context } = contextOf(place().folder, { locked: true }, 'v2');
    await expect(imagesToRollOut(context)).rejects.toMatchObject({
      kind: 'config',
      hint: expect.stringContaining('ciliumship push'),
    });
  });

  test('comes from Docker before a first push, and when the config names it anew', async () => {
    const { folder } = place();
    const { context } = contextOf(folder, {}, 'v2');
    await expect(imagesToRollOut(context)).rejects.toMatchObject({ kind: 'build' });
    await expect(shippedImages(context)).rejects.toMatchObject({ kind: 'build' });
  });
});
