import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { BuiltImage } from '../../../src/core/image.ts';
import { exportStep } from '../../../src/image/export.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { exporterTests } from '../../support/exporter-suite.ts';
import { fakeBoth } from '../../support/fake-exports.ts';
import { testFolder } from '../../support/folder.ts';

exporterTests('both ways at once', fakeBoth);

describe('an export that has two ways', () => {
  let store: BlobStore;
  let docker: Awaited<ReturnType<typeof fakeBoth>>;
  beforeEach(async () => {
    store = await openStore(testFolder());
    docker = await fakeBoth();
  });

  const build = (key: string): Promise<BuiltImage> => docker.build(key, randomUUID());
  const bring = (...images: readonly BuiltImage[]): Promise<unknown> => {
    const run = { signal: new AbortController().signal, progress: () => undefined };
    return exportStep(images, async () => docker.exporter, store).run(run);
  };

  test('saves images that the store has nothing of', async () => {
    const images = [await build('one'), await build('two')];
    await bring(...images);
    expect(docker.saves).toEqual(images.map(({ name }) => name));
    expect(docker.written).toEqual([]);
  });

  test('has buildx write what changed of an image that is known', async () => {
    await bring(await build('one'));
    docker.saves.length = 0;
    await bring(await build('one'));
    expect(docker.saves).toEqual([]);
    // The upper layer, config and manifest.
    expect(docker.written).toHaveLength(3);
  });

  test('leaves an image of another platform to buildx: a save would not list it', async () => {
    const image = { ...(await build('one')), platform: 'linux/arm64' as const };
    await expect(bring(image)).rejects.toMatchObject({ kind: 'config' });
    expect(docker.saves).toEqual([]);
    expect(docker.written).toHaveLength(4);
  });
});
