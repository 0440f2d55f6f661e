import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { recallWire, wireForm, type Compressor } from '../../../src/image/wire.ts';
import { testFolder } from '../../support/folder.ts';
import { digestOf } from '../../support/values.ts';

const { signal } = new AbortController();
const LAYER = digestOf('layer');

let store: BlobStore;
beforeEach(async () => {
  store = await openStore(testFolder());
  await store.put(LAYER, Readable.from(['layer']));
});

/** "Compresses" by writing the form's name, and counts. */
function counting(): Compressor & { readonly made: string[] } {
  const made: string[] = [];
  const compress = async (_from: string, to: string, form: string): Promise<void> => {
    made.push(form);
    await writeFile(to, `as ${form}`);
  };
  return { made, compress };
}

describe('the wire form of a blob', () => {
  test('is made once and then kept', async () => {
    const compressor = counting();
    for (const form of ['zstd', 'gzip', 'zstd', 'gzip'] as const) {
      const wire = await wireForm(store, LAYER, form, compressor, signal);
      expect(await text(Readable.from(wire.open(3)))).toBe(form);
      expect(wire.size).toBe(7);
    }
    expect(compressor.made).toEqual(['zstd', 'gzip']);
  });

  test('is not there before it was made', async () => {
    expect(await recallWire(store, LAYER, 'zstd')).toBeUndefined();
    await wireForm(store, LAYER, 'zstd', counting(), signal);
    expect(await recallWire(store, LAYER, 'zstd')).toMatchObject({ digest: LAYER, size: 7 });
  });

  test('that is plain is the blob itself', async () => {
    const compressor = counting();
    const wire = await wireForm(store, LAYER, 'plain', compressor, signal);
    expect([wire.size, compressor.made]).toEqual([5, []]);
  });

  test('is not kept when compressing fails', async () => {
    const failing: Compressor = {
      compress: async (_from, to) => {
        await writeFile(to, 'half');
        throw new Error('no space left');
      },
    };
    await expect(wireForm(store, LAYER, 'zstd', failing, signal)).rejects.toThrow('no space left');
    const compressor = counting();
    await wireForm(store, LAYER, 'zstd', compressor, signal);
    expect(compressor.made).toEqual(['zstd']);
    expect(await readdir(join(store.folder, 'scratch'))).toEqual([]);
  });

  test.each(['zstd', 'plain'] as const)(
    'as %s is not made of a blob that the disk damaged; the store forgets it',
    async (form) => {
      await writeFile(store.path(LAYER), 'lAyer');
      const making = wireForm(store, LAYER, form, counting(), signal);
      await expect(making).rejects.toMatchObject({ kind: 'integrity', retryable: true });
      expect(await store.size(LAYER)).toBeUndefined();
    },
  );

  test.each(['zstd', 'plain'] as const)('as %s is not made of a blob that left', async (form) => {
    await rm(store.path(LAYER));
    const making = wireForm(store, LAYER, form, counting(), signal);
    await expect(making).rejects.toThrow('left the store meanwhile');
  });
});
