import { rm, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/core/digest.ts';
import type { Blob, ShipImage } from '../../../src/core/image.ts';
import { earlierLayers, rememberImages } from '../../../src/image/earlier.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { testFolder } from '../../support/folder.ts';
import { blob, shipImage } from '../../support/values.ts';

let store: BlobStore;
beforeEach(async () => {
  store = await openStore(testFolder());
});

/** An image that was shipped before, its layers in the store. */
async function ship(key: string, words: readonly string[]): Promise<ShipImage> {
  const image = shipImage(key, words);
  for (const word of words) await store.put(blob('layer', word).digest, Readable.from([word]));
  await rememberImages(store, [image]);
  return image;
}

const NEW = shipImage('cilium', ['base', 'agent 3']);
const [, LAYER = blob('layer', '')] = NEW.layers;

async function earlierOf({ digest }: { readonly digest: Digest }): Promise<readonly Blob[]> {
  return (await earlierLayers(store, [NEW])).get(digest) ?? [];
}

describe('earlier versions of a layer', () => {
  test('are those at its place in images of its repository, newest first', async () => {
    await ship('cilium', ['base', 'agent 1']);
    await ship('cilium', ['base', 'agent 2']);
    await ship('operator-generic', ['base', 'operator']);
    expect(await earlierOf(LAYER)).toEqual([blob('layer', 'agent 2'), blob('layer', 'agent 1')]);
  });

  test('are none of a repository that was never shipped', async () => {
    await ship('operator-generic', ['base', 'operator']);
    expect(await earlierOf(LAYER)).toEqual([]);
  });

  test('are not the layer itself, nor what lies at no place of the older image', async () => {
    await ship('cilium', ['base']);
    await ship('cilium', ['base', 'agent 3']);
    expect(await earlierOf(LAYER)).toEqual([]);
    expect(await earlierOf(blob('layer', 'base'))).toEqual([]);
  });

  test('are the same repository’s under another tag', async () => {
    const image = await ship('cilium', ['base', 'agent 1']);
    await rememberImages(store, [{ ...image, name: image.name.replace(':dev', ':other') }]);
    expect(await earlierOf(LAYER)).toEqual([blob('layer', 'agent 1')]);
  });

  test('are left out when the store lost them', async () => {
    await ship('cilium', ['base', 'agent 1']);
    await ship('cilium', ['base', 'agent 2']);
    await rm(store.path(blob('layer', 'agent 2').digest));
    expect(await earlierOf(LAYER)).toEqual([blob('layer', 'agent 1')]);
  });

  test('are forgotten after eight newer ones', async () => {
    for (let edition = 10; edition < 20; edition += 1) {
      await ship('cilium', ['base', `agent ${edition}`]);
    }
    const known = await earlierOf(LAYER);
    expect(known).toHaveLength(8);
    expect(known.at(-1)).toEqual(blob('layer', 'agent 12'));
  });

  test('are none when the record is damaged, and the next ship mends it', async () => {
    await ship('cilium', ['base', 'agent 1']);
    const folder = join(store.folder, 'earlier');
    for (const file of readdirSync(folder)) await writeFile(join(folder, file), '[[{"digest":');
    expect(await earlierOf(LAYER)).toEqual([]);
    await ship('cilium', ['base', 'agent 2']);
    expect(await earlierOf(LAYER)).toEqual([blob('layer', 'agent 2')]);
  });
});
