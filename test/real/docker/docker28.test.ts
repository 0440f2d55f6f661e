import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDocker } from '../../../src/system/docker.ts';
import { buildxConfig, startDocker28, type Docker28 } from '../../support/docker28.ts';
import { importBase } from '../../support/docker-images.ts';
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
  engineTests('docker-api', 'the containerd store', () => connectDocker(newer.env));
  engineTests('buildx', 'the containerd store', () => connectDocker(newer.env));
  engineTests('buildx', "the machine's Docker", () => connectDocker());
});
