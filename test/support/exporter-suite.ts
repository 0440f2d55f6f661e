import { randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { blobsOf, type BuiltImage, type ShipImage } from '../../src/core/image.ts';
import type { Run } from '../../src/core/step.ts';
import { exportStep } from '../../src/image/export.ts';
import type { ImageExporter } from '../../src/image/exporter.ts';
import { hashFile } from '../../src/image/hash.ts';
import { openStore, type BlobStore } from '../../src/image/store.ts';
import { testFolder } from './folder.ts';

/** A Docker, real or not, and a way to bring images out of it. */
export interface ExportedDocker {
  readonly exporter: ImageExporter;
  /** Builds an image of two layers over a common base; `word` makes the upper one. */
  build(key: string, word: string): Promise<BuiltImage>;
}

/** What every exporter must do with every Docker. */
export function exporterTests(name: string, open: () => Promise<ExportedDocker>): void {
  describe(`an export by ${name}`, () => {
    let docker: ExportedDocker;
    let store: BlobStore;
    beforeEach(async () => {
      docker = await open();
      store = await openStore(join(testFolder(), 'store'));
    });

    const run: Run = { signal: new AbortController().signal, progress: () => undefined };
    const bring = (images: readonly BuiltImage[]): Promise<readonly ShipImage[]> =>
      exportStep(images, async () => docker.exporter, store).run(run);
    const scratch = (): readonly string[] => readdirSync(join(store.folder, 'scratch'));

    test('brings images whole: every blob has the digest that it is named by', async () => {
      const images = [
        await docker.build('one', randomUUID()),
        await docker.build('two', randomUUID()),
      ];
      const shipped = await bring(images);
      expect(shipped.map(({ layers }) => layers.map(({ digest }) => digest))).toEqual(
        images.map(({ diffIds }) => diffIds),
      );
      for (const { digest, size } of shipped.flatMap(blobsOf)) {
        expect(await hashFile(store.path(digest))).toEqual({ digest, size });
      }
      expect(scratch()).toEqual([]);
    });

    test('gives the same image the same manifest in another store', async () => {
      const image = await docker.build('one', randomUUID());
      const [first] = await bring([image]);
      store = await openStore(join(testFolder(), 'store'));
      expect(await bring([image])).toEqual([first]);
    });

    test('leaves the layers that the store has as they are', async () => {
      const [first] = await bring([await docker.build('one', randomUUID())]);
      const base = store.path(first?.layers[0]?.digest ?? 'sha256:');
      const before = statSync(base).ino;
      const [second] = await bring([await docker.build('one', randomUUID())]);
      expect(second?.layers[0]).toEqual(first?.layers[0]);
      expect(statSync(base)).toMatchObject({ ino: before, nlink: 1 });
    });

    test('F9: fails for an image that Docker does not have, and keeps nothing', async () => {
      const image = await docker.build('one', randomUUID());
      const gone = { ...image, name: 'ciliumship-test/never-built:1' };
      await expect(bring([gone])).rejects.toMatchObject({ name: 'ShipError' });
      expect(scratch()).toEqual([]);
      expect(readdirSync(join(store.folder, 'blobs', 'sha256'))).toEqual([]);
    });

    test('F7: an interrupted export gives the reason and leaves nothing', async () => {
      const image = await docker.build('one', randomUUID());
      const reason = new Error('interrupted');
      const stopped: Run = { signal: AbortSignal.abort(reason), progress: () => undefined };
      const exporting = exportStep([image], async () => docker.exporter, store).run(stopped);
      await expect(exporting).rejects.toBe(reason);
      expect(scratch()).toEqual([]);
    });
  });
}
