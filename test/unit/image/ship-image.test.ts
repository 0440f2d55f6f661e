import { assert, asyncProperty, string, uniqueArray } from 'fast-check';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { readSavedImages } from '../../../src/image/docker-save.ts';
import { manifestText, storeImage } from '../../../src/image/ship-image.ts';
import type { Unnamed } from '../../../src/image/records.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { testFolder } from '../../support/folder.ts';
import {
  classic,
  configOf,
  containerd,
  tarOf,
  type Content,
  type Entry,
} from '../../support/saved-archive.ts';
import { blob, digestOf } from '../../support/values.ts';

const CONTENT = { name: 'quay.io/cilium/cilium:dev', layers: ['base', 'binaries'] };
const { signal } = new AbortController();

/** Stores the image of an archive. */
async function stored(entries: readonly Entry[], store: BlobStore): Promise<Unnamed> {
  const archive = Readable.from([await tarOf(entries)]);
  const [image] = await readSavedImages(archive, await store.scratch(), signal);
  if (image === undefined) throw new Error('the archive holds no image');
  return storeImage(image, 'linux/amd64', store);
}

async function storedAnew(entries: readonly Entry[]): Promise<Unnamed> {
  return stored(entries, await openStore(testFolder()));
}

test('an image is layers by diff ID, its own config and one manifest, all in the store', async () => {
  const store = await openStore(testFolder());
  const image = await stored(classic(CONTENT), store);
  expect(image.layers.map(({ digest }) => digest)).toEqual(CONTENT.layers.map(digestOf));
  expect(image.config.digest).toBe(digestOf(configOf(CONTENT)));
  for (const part of [...image.layers, image.config, image.manifest]) {
    const bytes = await text(Readable.from(store.read(part.digest)));
    expect(part).toEqual(blob(part.kind, bytes));
  }
});

describe('the manifest', () => {
  test('F10: is the same whichever store of Docker the image came from', async () => {
    const layers = uniqueArray(string({ minLength: 1 }), { minLength: 1, maxLength: 4 });
    await assert(
      asyncProperty(layers, async (texts) => {
        const content: Content = { ...CONTENT, layers: texts };
        const made = await storedAnew(classic(content));
        expect(await storedAnew(containerd(content))).toEqual(made);
      }),
      { numRuns: 25 },
    );
  }, 30_000);

  test('says uncompressed layers, in their order, under OCI media types', () => {
    const layers = ['base', 'binaries'].map((word) => blob('layer', word));
    const manifest: unknown = JSON.parse(manifestText(blob('config', '{}'), layers));
    expect(manifest).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf('{}'),
        size: 2,
      },
      layers: layers.map(({ digest, size }) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest,
        size,
      })),
    });
  });
});

describe('an image is refused', () => {
  test('F31: when it is for another platform, which the message names beside ours', async () => {
    const storing = storedAnew(classic({ ...CONTENT, architecture: 'arm64' }));
    await expect(storing).rejects.toMatchObject({
      kind: 'config',
      message: 'quay.io/cilium/cilium:dev is for linux/arm64, not linux/amd64',
    });
  });

  test('when a layer is not what the config says, and nothing of it is kept', async () => {
    const store = await openStore(testFolder());
    const entries = classic(CONTENT).map((entry) =>
      entry.name === 'layer1/layer.tar' ? { ...entry, bytes: Buffer.from('other') } : entry,
    );
    await expect(stored(entries, store)).rejects.toMatchObject({ kind: 'integrity' });
    expect(await store.size(digestOf('binaries'))).toBeUndefined();
    expect(await store.size(digestOf('other'))).toBeUndefined();
  });

  test('when it has fewer layers than its config lists', async () => {
    const whole = classic(CONTENT);
    const list = JSON.parse(String(whole.at(-1)?.bytes)) as [{ Layers: string[] }];
    list[0].Layers.pop();
    const entries = [
      ...whole.slice(0, -1),
      { name: 'manifest.json', bytes: Buffer.from(JSON.stringify(list)) },
    ];
    await expect(storedAnew(entries)).rejects.toThrow('the image lists 2 layers and holds 1');
  });

  test('when its config cannot be read', async () => {
    const entries = classic(CONTENT).map((entry) =>
      /^[0-9a-f]{64}\.json$/.test(entry.name) ? { ...entry, bytes: Buffer.from('{}') } : entry,
    );
    await expect(storedAnew(entries)).rejects.toMatchObject({ kind: 'integrity' });
  });
});
