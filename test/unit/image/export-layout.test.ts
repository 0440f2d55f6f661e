import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { hexOf, type Digest } from '../../../src/core/digest.ts';
import type { BuiltImage, ShipImage } from '../../../src/core/image.ts';
import type { Run } from '../../../src/core/step.ts';
import { exportStep } from '../../../src/image/export.ts';
import { layoutExporter, type LayoutWriter } from '../../../src/image/export-layout.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { exporterTests } from '../../support/exporter-suite.ts';
import { fakeLayouts, fakeSaves, layoutOf } from '../../support/fake-exports.ts';
import { testFolder } from '../../support/folder.ts';
import { digestOf } from '../../support/values.ts';

const RUN: Run = { signal: new AbortController().signal, progress: () => undefined };
const CONTENT = { name: 'quay.io/cilium/cilium:dev', layers: ['base', 'programs'] };
const IMAGE: BuiltImage = {
  key: 'cilium',
  name: CONTENT.name,
  id: digestOf('id'),
  diffIds: CONTENT.layers.map(digestOf),
  platform: 'linux/amd64',
};
const { manifest: MANIFEST, blobs: BLOBS } = layoutOf(CONTENT);

exporterTests('docker save', fakeSaves);
exporterTests('layouts', fakeLayouts);

let store: BlobStore;
beforeEach(async () => {
  store = await openStore(testFolder());
});

/** Exports what a writer puts into the layout. */
function exportOf(writeLayout: LayoutWriter['writeLayout']): Promise<readonly ShipImage[]> {
  return exportStep([IMAGE], async () => layoutExporter({ writeLayout }), store).run(RUN);
}

/** Writes these files, each under the digest that it should have. */
function writing(
  files: readonly (readonly [digest: Digest, bytes: Uint8Array])[],
  named = MANIFEST,
) {
  return async (_image: unknown, folder: string): Promise<Digest> => {
    for (const [digest, bytes] of files) {
      writeFileSync(join(folder, 'blobs', 'sha256', hexOf(digest)), bytes);
    }
    return named;
  };
}

const WHOLE = BLOBS.map((bytes) => [digestOf(bytes), bytes] as const);

describe('an export into a layout', () => {
  test('writes only blobs that the store lacks', async () => {
    const docker = await fakeLayouts();
    const bring = async (word: string): Promise<unknown> => {
      const image = await docker.build('cilium', word);
      return exportStep([image], async () => docker.exporter, store).run(RUN);
    };
    await bring(randomUUID());
    expect(docker.written.splice(0)).toHaveLength(4);
    await bring(randomUUID());
    // The upper layer, config and manifest; the base was linked.
    expect(docker.written).toHaveLength(3);
  });

  test.each(WHOLE.map((_file, index) => index))(
    'F9: is refused when blob %i has other bytes than its name says',
    async (at) => {
      const damaged = WHOLE.map(([digest, bytes], index) =>
        index === at ? ([digest, Buffer.from('damaged')] as const) : ([digest, bytes] as const),
      );
      await expect(exportOf(writing(damaged))).rejects.toMatchObject({ kind: 'integrity' });
      expect(await store.recall(IMAGE.id)).toBeUndefined();
    },
  );

  test.each(WHOLE.map((_file, index) => index))(
    'F9: is refused when blob %i is missing',
    async (at) => {
      const cut = WHOLE.filter((_file, index) => index !== at);
      const failure = { kind: 'integrity', retryable: true };
      await expect(exportOf(writing(cut))).rejects.toMatchObject(failure);
    },
  );

  test('F10: is refused when buildx wrote an index instead of one image', async () => {
    const index = Buffer.from(JSON.stringify({ manifests: [{ digest: MANIFEST, size: 1 }] }));
    const files = [...WHOLE, [digestOf(index), index] as const];
    const exporting = exportOf(writing(files, digestOf(index)));
    await expect(exporting).rejects.toThrow(/no manifest of one image/);
  });

  test('F11: is refused when a layer of the store was cut short, and goes on without it', async () => {
    const [base = ''] = CONTENT.layers;
    writeFileSync(store.path(digestOf(base)), 'ba');
    const missing = WHOLE.filter(([digest]) => digest !== digestOf(base));
    await expect(exportOf(writing(missing))).rejects.toMatchObject({ kind: 'integrity' });
    await expect(exportOf(writing(WHOLE))).resolves.toHaveLength(1);
  });
});
