import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ShipImage } from '../../../src/core/image.ts';
import { qualified } from '../../../src/facts/node-store.ts';
import { readArchiveNames } from '../../../src/image/archive-read.ts';
import { requireWritable, saveStep } from '../../../src/image/archive-write.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { RUN, readInto, storeImages, WANTED } from '../../support/archives.ts';
import { testFolder } from '../../support/folder.ts';
import { digestOf } from '../../support/values.ts';

let folder: string;
let store: BlobStore;
let images: readonly ShipImage[];
beforeEach(async () => {
  folder = testFolder();
  store = await openStore(join(folder, 'from'));
  images = await storeImages(store);
});

const at = (name: string): string => join(folder, name);
const save = (file: string) => saveStep(images, file, store).run(RUN);

describe('save', () => {
  test.each(['images.tar.zst', 'images.tar.gz', 'images.tar'])(
    'writes a %s that another machine reads as the same images',
    async (name) => {
      await save(at(name));
      const other = await openStore(at('other'));
      expect(await readInto(other, at(name))).toEqual(images);
      for (const { manifest, config, layers } of images) {
        const there = [manifest, config, ...layers].map((blob) => other.has(blob));
        expect(await Promise.all(there)).not.toContain(false);
      }
    },
  );

  test('F27: puts the index last, so that a cut archive names nothing', async () => {
    await save(at('images.tar'));
    const names: string[] = [];
    const entries = Readable.from([await readFile(at('images.tar'))]).pipe(extract());
    for await (const entry of entries) {
      names.push(entry.header.name);
      entry.resume();
    }
    expect(names[0]).toBe('oci-layout');
    expect(names.indexOf('index.json')).toBe(names.length - 1);
    expect(new Set(names).size).toBe(names.length);
  });

  test('can be asked for what it holds, and what is damaged is refused', async () => {
    await save(at('images.tar'));
    const scratch = (): Promise<string> => mkdtemp(at('scratch-'));
    const named = await readArchiveNames(at('images.tar'), await scratch(), RUN.signal);
    for (const { name, digestName, config } of images) {
      expect(named.get(qualified(name))).toBe(config.digest);
      expect(named.get(qualified(digestName))).toBe(config.digest);
    }
    writeFileSync(at('images.tar'), 'damaged');
    const damaged = readArchiveNames(at('images.tar'), await scratch(), RUN.signal);
    await expect(damaged).rejects.toMatchObject({ kind: 'integrity' });
  });

  test('says size and digest of what it wrote, which are the same for the same images', async () => {
    const first = await save(at('one.tar'));
    const bytes = readFileSync(at('one.tar'));
    expect(first).toEqual({
      file: at('one.tar'),
      digest: digestOf(bytes),
      size: bytes.length,
    });
    const other = await openStore(at('other'));
    const again = await storeImages(other, WANTED.toReversed());
    const second = await saveStep(again.toReversed(), at('two.tar'), other).run(RUN);
    expect(second.digest).toBe(first.digest);
  });

  test('replaces an older archive only when the new one is whole', async () => {
    writeFileSync(at('images.tar'), 'older');
    const [layer] = images[0]?.layers ?? [];
    const path = store.path(layer?.digest ?? digestOf(''));
    const bytes = readFileSync(path);
    writeFileSync(path, 'damaged');
    await expect(save(at('images.tar'))).rejects.toMatchObject({
      kind: 'integrity',
      retryable: true,
    });
    expect(readFileSync(at('images.tar'), 'utf8')).toBe('older');
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    writeFileSync(path, bytes);
    await save(at('images.tar'));
    expect(await readInto(await openStore(at('other')), at('images.tar'))).toEqual(images);
  });

  test('stops when it is interrupted, and leaves nothing', async () => {
    const controller = new AbortController();
    const progress = (): void => controller.abort(new Error('interrupted'));
    const saving = saveStep(images, at('images.tar'), store).run({
      signal: controller.signal,
      progress,
    });
    await expect(saving).rejects.toThrow('aborted');
    expect(readdirSync(folder)).toEqual(['from']);
  });

  test.each(['images.zip', 'images', 'images.tar.xz'])(
    'refuses %s, whose name says no compression',
    async (name) => {
      await expect(requireWritable(at(name))).rejects.toMatchObject({ kind: 'usage' });
    },
  );

  test('refuses a folder that is missing, and a name that is a folder', async () => {
    await mkdir(at('taken.tar'));
    for (const name of ['missing/images.tar', 'taken.tar']) {
      await expect(requireWritable(at(name))).rejects.toMatchObject({ kind: 'usage' });
    }
  });
});
