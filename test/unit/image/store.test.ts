import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeHashed } from '../../../src/image/docker-save.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { testFolder } from '../../support/folder.ts';
import { digestOf, shipImage } from '../../support/values.ts';

const DOCKER_ID = digestOf('docker’s own id');

let store: BlobStore;
beforeEach(async () => {
  store = await openStore(testFolder());
});

function put(bytes: string): Promise<number> {
  return store.put(digestOf(bytes), Readable.from([bytes]));
}

/** Files below the store that are not blobs by their name. */
async function leftOvers(): Promise<readonly string[]> {
  return readdir(join(store.folder, 'scratch'));
}

describe('a blob', () => {
  test('is found by its digest and read from any byte on', async () => {
    expect(await put('some bytes')).toBe(10);
    const read = store.read(digestOf('some bytes'), { start: 5 });
    expect(await text(Readable.from(read))).toBe('bytes');
    expect(await leftOvers()).toEqual([]);
  });

  test('is not kept when its bytes have another digest', async () => {
    const putting = store.put(digestOf('wanted'), Readable.from(['sent']));
    await expect(putting).rejects.toMatchObject({ kind: 'integrity' });
    expect(await store.size(digestOf('wanted'))).toBeUndefined();
    expect(await leftOvers()).toEqual([]);
  });

  test('that two processes put at once is there for both', async () => {
    expect(await Promise.all([put('same'), put('same')])).toEqual([4, 4]);
  });

  test('that was hashed while it was written is taken over without a copy', async () => {
    const path = join(await store.scratch(), 'file');
    const file = await writeHashed(Readable.from(['layer']), path);
    expect(await store.adopt({ path, ...file })).toBe(5);
    expect(await store.size(digestOf('layer'))).toBe(5);
    await expect(readFile(path)).rejects.toThrow('ENOENT');
  });
});

describe('an image is recalled by Docker’s id', () => {
  const { key: _key, name: _name, digestName: _second, ...image } = shipImage('cilium', ['base']);

  beforeEach(async () => {
    for (const part of [...image.layers, image.config, image.manifest]) {
      await writeFile(store.path(part.digest), Buffer.alloc(part.size));
    }
    await store.remember(DOCKER_ID, image);
  });

  test('when all of it is still there', async () => {
    expect(await store.recall(DOCKER_ID)).toEqual(image);
  });

  test('but not by another id', async () => {
    expect(await store.recall(digestOf('other'))).toBeUndefined();
  });

  test.each(['layer', 'config', 'manifest'])('but not when its %s is gone', async (kind) => {
    const part = [...image.layers, image.config, image.manifest].find((one) => one.kind === kind);
    await rm(store.path(part?.digest ?? DOCKER_ID));
    expect(await store.recall(DOCKER_ID)).toBeUndefined();
  });

  test('but not when a blob was cut short', async () => {
    await writeFile(store.path(image.config.digest), 'short');
    expect(await store.recall(DOCKER_ID)).toBeUndefined();
  });

  test('but not when the record itself was cut short', async () => {
    const [record = ''] = await readdir(join(store.folder, 'made'));
    await writeFile(join(store.folder, 'made', record), '{"platform":');
    expect(await store.recall(DOCKER_ID)).toBeUndefined();
  });
});

describe('the folder', () => {
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(store.folder, name), 'utf8'));

  test('is an OCI layout', async () => {
    expect(await read('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(await read('index.json')).toMatchObject({ schemaVersion: 2, manifests: [] });
  });

  test('of an older version becomes one and keeps what it holds', async () => {
    await put('layer');
    await rm(join(store.folder, 'oci-layout'));
    await rm(join(store.folder, 'index.json'));
    store = await openStore(store.folder);
    expect(await read('index.json')).toMatchObject({ manifests: [] });
    expect(await store.size(digestOf('layer'))).toBe(5);
  });

  test('keeps the index that another tool wrote', async () => {
    await writeFile(join(store.folder, 'index.json'), '{"manifests":[7]}');
    store = await openStore(store.folder);
    expect(await read('index.json')).toEqual({ manifests: [7] });
  });
});
