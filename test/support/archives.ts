import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { digestName, type ShipImage } from '../../src/core/image.ts';
import type { Run } from '../../src/core/step.ts';
import { readArchiveStep, type Vouch, type WantedImage } from '../../src/image/archive-read.ts';
import { saveStep } from '../../src/image/archive-write.ts';
import { readSavedImages } from '../../src/image/docker-save.ts';
import { storeImage } from '../../src/image/ship-image.ts';
import { openStore, type BlobStore } from '../../src/image/store.ts';
import type { Entry } from './hostile/entries.ts';
import { classic, tarOf } from './saved-archive.ts';

/** Archives of `ciliumship save`, made of images of a few bytes. */

export const RUN: Run = { signal: new AbortController().signal, progress: () => undefined };

/** What the config names in these tests: two built images, and an extra one with a short name. */
export const WANTED: readonly WantedImage[] = [
  { key: 'cilium', name: 'quay.io/cilium/cilium:dev' },
  { key: 'operator-generic', name: 'quay.io/cilium/operator-generic:dev' },
  { key: 'busybox:1', name: 'busybox:1' },
];

/** Puts images of these names into a store; they share their lowest layer, and all can be unpacked. */
export async function storeImages(
  store: BlobStore,
  wanted: readonly WantedImage[] = WANTED,
): Promise<readonly ShipImage[]> {
  return Promise.all(
    wanted.map(async ({ key, name }) => {
      const layers = await Promise.all(['base', `programs of ${name}`].map(layerOf));
      const saved = await tarOf(classic({ name, layers }));
      const folder = await store.scratch();
      const [image] = await readSavedImages(Readable.from([saved]), folder, RUN.signal);
      if (image === undefined) throw new Error('the archive holds no image');
      const stored = await storeImage(image, 'linux/amd64', store);
      return { ...stored, key, name, digestName: digestName(name, stored.config.digest) };
    }),
  );
}

/** A layer with one file. */
async function layerOf(text: string): Promise<string> {
  return String(await tarOf([{ name: 'file', bytes: Buffer.from(text) }]));
}

/** Reads an archive into a store as `push --archive` does. */
export async function readInto(
  store: BlobStore,
  file: string,
  signal = RUN.signal,
  vouch?: Vouch,
): Promise<readonly ShipImage[]> {
  return readArchiveStep(file, WANTED, 'linux/amd64', store, vouch).run({ ...RUN, signal });
}

/** The entries of an archive of the images of `WANTED`. */
export async function honestEntries(folder: string): Promise<readonly Entry[]> {
  const file = join(folder, 'honest.tar');
  const store = await openStore(join(folder, 'honest'));
  await saveStep(await storeImages(store), file, store).run(RUN);
  const entries: Entry[] = [];
  for await (const entry of createReadStream(file).pipe(extract())) {
    entries.push({ name: entry.header.name, bytes: await buffer(entry) });
  }
  return entries;
}
