import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  openLayer,
  readSavedImages,
  writeHashed,
  type SavedImage,
} from '../../../src/image/docker-save.ts';
import { testFolder } from '../../support/folder.ts';
import {
  classic,
  configOf,
  containerd,
  cutTar,
  tarOf,
  type Entry,
} from '../../support/saved-archive.ts';
import { digestOf } from '../../support/values.ts';

const CONTENT = { name: 'quay.io/cilium/cilium:dev', layers: ['base', 'binaries'] };
const { signal } = new AbortController();

async function read(archive: Uint8Array): Promise<readonly SavedImage[]> {
  return readSavedImages(Readable.from([archive]), testFolder(), signal);
}

/** Texts of an image's layers, uncompressed. */
async function layersOf(image: SavedImage | undefined): Promise<readonly string[]> {
  const layers = image?.layers ?? [];
  return Promise.all(layers.map(async (file) => String(await buffer(openLayer(file)))));
}

async function failure(archive: Uint8Array): Promise<unknown> {
  return read(archive).catch((error: unknown) => error);
}

describe.each([
  ['the classic store', classic],
  ['the containerd store', containerd],
])('an archive of %s', (_, layout) => {
  test('holds the image with its names, its config and its layers', async () => {
    const [image, ...others] = await read(await tarOf(layout(CONTENT)));
    expect(others).toEqual([]);
    expect(image?.names).toEqual([CONTENT.name]);
    expect(image?.config.digest).toBe(digestOf(configOf(CONTENT)));
    expect(await layersOf(image)).toEqual(CONTENT.layers);
  });

  test('has its layers uncompressed on the way, so that their digests are their diff IDs', async () => {
    const [image] = await read(await tarOf(layout(CONTENT)));
    expect(image?.layers.map(({ digest }) => digest)).toEqual(CONTENT.layers.map(digestOf));
  });

  test('F9: is incomplete when it was cut between two entries, wherever that was', async () => {
    const entries = layout(CONTENT);
    for (let count = 0; count < entries.length; count += 1) {
      const error = await failure(await cutTar(entries.slice(0, count)));
      expect(error).toMatchObject({ kind: 'integrity', retryable: true });
    }
  });

  test('D12: is broken when it was cut within an entry', async () => {
    const whole = await tarOf(layout(CONTENT));
    const error = await failure(whole.subarray(0, 700));
    expect(error).toMatchObject({ kind: 'integrity', retryable: true });
  });

  test.each([0, 1])('is incomplete without the file of layer %i', async (index) => {
    const entries = layout(CONTENT);
    const error = await failure(await tarOf(entries.filter((_entry, at) => at !== index)));
    expect(error).toMatchObject({ kind: 'integrity' });
    expect((error as Error).message).toMatch(/incomplete archive: .* is missing$/);
  });
});

test('a layer that occurs twice is found through the link that old engines write', async () => {
  const content = { ...CONTENT, layers: ['base', 'binaries', 'base'] };
  const [image] = await read(await tarOf(classic(content)));
  expect(await layersOf(image)).toEqual(content.layers);
});

test('a blob with other bytes than its name says is refused', async () => {
  const entries = containerd(CONTENT).map((entry, index): Entry =>
    index === 0 ? { ...entry, bytes: Buffer.from('damaged') } : entry,
  );
  const error = await failure(await tarOf(entries));
  expect(error).toMatchObject({ kind: 'integrity' });
  expect((error as Error).message).toContain('has another digest');
});

test('an image without its config is incomplete', async () => {
  const entries = classic(CONTENT).filter(({ name }) => !/^[0-9a-f]{64}\.json$/.test(name));
  await expect(read(await tarOf(entries))).rejects.toThrow(/incomplete archive: .*json is missing/);
});

test.each([
  ['no JSON', Buffer.from('{')],
  ['no list', Buffer.from('{}')],
  ['an entry of nothing', Buffer.from('[null]')],
  ['names that are no list', Buffer.from('[{"Config":"c","RepoTags":{},"Layers":[]}]')],
  ['layers that are no names', Buffer.from('[{"Config":"c","RepoTags":null,"Layers":[7]}]')],
])('a manifest.json that holds %s is none', async (_, bytes) => {
  const config = { name: 'c', bytes: configOf(CONTENT) };
  const error = await failure(await tarOf([config, { name: 'manifest.json', bytes }]));
  expect(error).toMatchObject({ kind: 'integrity' });
});

test('a layer that is a zstd stream comes out uncompressed', async () => {
  const path = join(testFolder(), 'layer');
  const file = await writeHashed(Readable.from([zstdCompressSync('layer')]), path);
  expect(String(await buffer(openLayer({ path, ...file })))).toBe('layer');
});

test.each([
  ['a gzip', gzipSync],
  ['a zstd', zstdCompressSync],
  ['a plain', (text: string) => Buffer.from(text)],
] as const)(
  '%s layer whose file is gone fails whoever reads it, and nobody else',
  async (_, form) => {
    const path = join(testFolder(), 'layer');
    const file = await writeHashed(Readable.from([form('layer')]), path);
    const layer = openLayer({ path, ...file });
    rmSync(path);
    await setImmediate();
    await expect(buffer(layer)).rejects.toMatchObject({ code: 'ENOENT' });
  },
);

test('a gzip layer that cannot be read to its end fails whoever reads it', async () => {
  const path = join(testFolder(), 'layer');
  const file = await writeHashed(
    Readable.from([gzipSync(randomBytes(4096)).subarray(0, -9)]),
    path,
  );
  await expect(buffer(openLayer({ path, ...file }))).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
});

test('reading stops when the command is interrupted', async () => {
  const controller = new AbortController();
  const reason = new Error('interrupted');
  const never = new Readable({ read: () => undefined });
  const reading = readSavedImages(never, testFolder(), controller.signal);
  controller.abort(reason);
  await expect(reading).rejects.toBe(reason);
});
