import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { imagesToRollOut, shippedImages } from '../../../src/commands/shared/shipped-images.ts';
import { digestOf, type Digest } from '../../../src/core/digest.ts';
import { digestName } from '../../../src/core/image.ts';
import { lockText } from '../../../src/drift/lock-file.ts';
import { openStore } from '../../../src/image/store.ts';
import { saveStep } from '../../../src/image/archive-write.ts';
import { RUN, storeImages } from '../../support/archives.ts';
import { testContext } from '../../support/context.ts';
import { startHttpDocker } from '../../support/docker-http.ts';
import { testFolder } from '../../support/folder.ts';

const CILIUM = 'quay.io/cilium/cilium:v1';
const OPERATOR = 'quay.io/cilium/operator-generic:v1';
const SHIPPED = digestOf('shipped');
const NEWER = digestOf('newer');

afterEach(() => {
  vi.unstubAllEnvs();
});

function locked(name: string, config: Digest) {
  const digests = { config, manifest: digestOf(`manifest of ${config}`), layers: [] };
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

async function withDocker(id: Digest): Promise<void> {
  const image = { Id: id, Os: 'linux', Architecture: 'amd64', Size: 1, RootFS: { Layers: [] } };
  const daemon = await startHttpDocker({
    [`/images/${CILIUM}/json`]: (response) => response.end(JSON.stringify(image)),
    '/info': (response) => response.end('{"Driver":"overlay2","ServerVersion":"20.10"}'),
    '/version': (response) => response.end('{"Version":"20.10","ApiVersion":"1.41"}'),
  });
  onTestFinished(() => daemon.stop());
  vi.stubEnv('DOCKER_HOST', daemon.env['DOCKER_HOST']);
}

/** An archive of the agent, and which image that is. */
async function archiveOfAgent() {
  const folder = testFolder();
  const file = join(folder, 'images.tar');
  const store = await openStore(folder);
  const images = await storeImages(store, [{ key: 'cilium', name: CILIUM }]);
  await saveStep(images, file, store).run(RUN);
  return { archive: file, config: images[0]?.config.digest };
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

  test('is what an archive brought, whatever Docker has', async () => {
    const { archive, config } = await archiveOfAgent();
    const { folder } = place(config);
    await withDocker(NEWER);
    expect(await imagesToRollOut(contextOf(folder, { archive }).context)).toHaveLength(2);
  });

  test('is never another archive', async () => {
    const { archive } = await archiveOfAgent();
    const { folder } = place();
    await expect(imagesToRollOut(contextOf(folder, { archive }).context)).rejects.toMatchObject({
      kind: 'integrity',
      hint: `ship it first: ciliumship push --archive ${archive}`,
    });
    const other = contextOf(folder, { archive }, 'v2').context;
    await expect(imagesToRollOut(other)).rejects.toMatchObject({ kind: 'config' });
  });

  test('comes from Docker before a first push, and when the config names it anew', async () => {
    const { folder } = place();
    const { context } = contextOf(folder, {}, 'v2');
    await expect(imagesToRollOut(context)).rejects.toMatchObject({ kind: 'build' });
    await expect(shippedImages(context)).rejects.toMatchObject({ kind: 'build' });
  });
});
