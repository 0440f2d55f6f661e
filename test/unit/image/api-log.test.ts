import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Run } from '../../../src/core/step.ts';
import { exportStep } from '../../../src/image/export.ts';
import { saveExporter } from '../../../src/image/export-save.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { connectDocker, type DockerDaemon } from '../../../src/system/docker.ts';
import { startHttpDocker, type HttpDocker } from '../../support/docker-http.ts';
import { testFolder } from '../../support/folder.ts';
import { classic, tarOf } from '../../support/saved-archive.ts';
import { digestOf } from '../../support/values.ts';

const RUN: Run = { signal: new AbortController().signal, progress: () => undefined };
const CONTENT = { name: 'quay.io/cilium/cilium:dev', layers: ['base', 'programs'] };
const LOOK = `GET /images/${CONTENT.name}/json`;
const SAVE = 'GET /images/get';

let store: BlobStore;
let served: Uint8Array;
let shown: object;
let http: HttpDocker;
let docker: DockerDaemon;
beforeEach(async () => {
  store = await openStore(join(testFolder(), 'store'));
  served = await tarOf(classic(CONTENT));
  shown = {
    Id: digestOf('id'),
    RootFS: { Layers: CONTENT.layers.map(digestOf) },
    Size: 1000,
    Os: 'linux',
    Architecture: 'amd64',
  };
  http = await startHttpDocker({
    '/images/get': (response) => response.end(served),
    '/images/': (response) => response.end(JSON.stringify(shown)),
  });
  onTestFinished(() => http.stop());
  docker = await connectDocker(http.env);
});

/** What every push does: look at the image, and export it when the store does not know it. */
async function bring(): Promise<unknown> {
  const seen = await docker.inspect(CONTENT.name);
  if (seen === undefined) throw new Error('the fake has the image');
  const image = { key: 'cilium', name: CONTENT.name, ...seen };
  const step = exportStep([image], async () => saveExporter(docker), store);
  return (await step.done?.(RUN)) ?? step.run(RUN);
}

describe("Docker's log of requests", () => {
  test('shows one save at the first push, and only a look at the image at the next', async () => {
    const first = await bring();
    expect(http.requests).toEqual([LOOK, SAVE]);
    expect(await bring()).toEqual(first);
    expect(http.requests.slice(2)).toEqual([LOOK]);
  });

  test('F9: shows a new save after one that ended in an error record', async () => {
    const whole = served;
    const error = Buffer.from('{"message":"write: no space left on device"}');
    served = Buffer.concat([whole.subarray(0, 1536), error]);
    await expect(bring()).rejects.toMatchObject({ kind: 'integrity', retryable: true });
    served = whole;
    await bring();
    expect(http.requests).toEqual([LOOK, SAVE, LOOK, SAVE]);
  });

  test('F8: shows no save of an image that cannot fit, whose size is stated', async () => {
    shown = { ...shown, Size: 1e18 };
    await expect(bring()).rejects.toMatchObject({
      kind: 'build',
      message: expect.stringMatching(/needs 1000000000000 MB in .*, and \d+ MB are free/) as string,
    });
    expect(http.requests).toEqual([LOOK]);
  });
});
