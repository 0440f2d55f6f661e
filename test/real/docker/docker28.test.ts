import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportStep } from '../../../src/image/export.ts';
import { openStore } from '../../../src/image/store.ts';
import { openBuildxLayouts } from '../../../src/system/buildx-export.ts';
import { connectDocker } from '../../../src/system/docker.ts';
import { buildxConfig, startDocker28, type Docker28 } from '../../support/docker28.ts';
import { importBase } from '../../support/docker-images.ts';
import { recordedRun } from '../../support/docker-build.ts';
import { exporterTests } from '../../support/exporter-suite.ts';
import { testFolder } from '../../support/folder.ts';
import { realLayouts, realSaves } from '../../support/real-exports.ts';
import { engineTests } from '../../support/engine-suite.ts';
import { missingPart, onlyInAll, run } from '../../support/parts.ts';

/** Both engines on Docker 28 with the containerd image store, and its buildx on this machine's Docker. */
const skip =
  onlyInAll('Docker 28 is made by debootstrap: minutes and 1 GB the first time') ??
  (await missingPart('Docker', () => run(['docker', 'info'])));

let newer: Docker28;
beforeAll(async () => {
  if (skip !== undefined) return;
  newer = await startDocker28('containerd');
  await importBase(newer.env);
  await importBase();
  // The plugin is found through DOCKER_CONFIG, on whichever Docker.
  process.env['DOCKER_CONFIG'] = await buildxConfig();
}, 600_000);
afterAll(async () => newer?.stop());

describe.skipIf(skip !== undefined)('Docker 28', () => {
  test('keeps its images in containerd', async () => {
    const { store, version } = await (await connectDocker(newer.env)).info();
    expect({ store, major: version.split('.')[0] }).toEqual({ store: 'containerd', major: '28' });
  });
  exporterTests('docker save of the containerd store', async () =>
    realSaves(await connectDocker(newer.env)),
  );
  exporterTests('buildx export of the containerd store', async () =>
    realLayouts(await connectDocker(newer.env)),
  );
  test('F10: both exporters give one image the same manifest', async () => {
    const docker = await connectDocker(newer.env);
    const [saves, layouts] = [await realSaves(docker), await realLayouts(docker)];
    const image = await saves.build('same', randomUUID());
    const shipped = [saves, layouts].map(async ({ exporter }) => {
      const store = await openStore(join(testFolder(), 'store'));
      return exportStep([image], async () => exporter, store).run(recordedRun());
    });
    const [saved, exported] = await Promise.all(shipped);
    expect(exported).toEqual(saved);
  });
  test("buildx is not asked for images of this machine's Docker when that keeps them itself", async () => {
    const docker = await connectDocker();
    const { store } = await docker.info();
    const layouts = await openBuildxLayouts(docker, new AbortController().signal);
    expect(layouts !== undefined).toBe(store === 'containerd');
  });
  engineTests('docker-api', 'the containerd store', () => connectDocker(newer.env));
  engineTests('buildx', 'the containerd store', () => connectDocker(newer.env));
  engineTests('buildx', "the machine's Docker", () => connectDocker());
});
