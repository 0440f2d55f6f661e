import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import type { WireForm } from '../../../src/core/wire.ts';
import { wireName } from '../../../src/facts/node-paths.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import {
  dropWire,
  madeWires,
  recallWire,
  wireForm,
  type Compressor,
  type WireFile,
} from '../../../src/image/wire.ts';
import { testFolder } from '../../support/folder.ts';
import { blob } from '../../support/values.ts';

const { signal } = new AbortController();
const { digest: LAYER } = blob('layer', 'layer');

let store: BlobStore;
beforeEach(async () => {
  store = await openStore(testFolder());
  await store.put(LAYER, Readable.from(['layer']));
});

function wireOf(form: WireForm, compressor: Compressor): Promise<WireFile> {
  return wireForm({ store, digest: LAYER, form, compressor, signal });
}

/** "Compresses" by writing the form's name, and counts. */
function counting(): Compressor & { readonly made: string[] } {
  const made: string[] = [];
  const compress = async (_from: string, to: string, form: string): Promise<void> => {
    made.push(form);
    await writeFile(to, `as ${form}`);
  };
  const patch = async (base: string, _from: string, to: string): Promise<void> => {
    made.push(`patch of ${await readFile(base, 'utf8')}`);
    await writeFile(to, 'as patch');
  };
  return { made, compress, patch };
}

describe('the wire form of a blob', () => {
  test('is made once and then kept', async () => {
    const compressor = counting();
    for (const form of ['zstd', 'gzip', 'zstd', 'gzip'] as const) {
      const wire = await wireOf(form, compressor);
      expect(await text(Readable.from(wire.open(3)))).toBe(form);
      expect(wire.size).toBe(7);
    }
    expect(compressor.made).toEqual(['zstd', 'gzip']);
  });

  test('is not there before it was made', async () => {
    expect(await recallWire(store, LAYER, 'zstd')).toBeUndefined();
    await wireOf('zstd', counting());
    expect(await recallWire(store, LAYER, 'zstd')).toMatchObject({ digest: LAYER, size: 7 });
  });

  test('is kept apart for each base of a patch, and forgotten apart', async () => {
    const first = { base: blob('layer', 'one') };
    const second = { base: blob('layer', 'two') };
    await store.put(first.base.digest, Readable.from(['one']));
    await store.put(second.base.digest, Readable.from(['two']));
    const compressor = counting();
    for (const form of [first, second, 'zstd', first] as const) {
      await wireOf(form, compressor);
    }
    expect(compressor.made).toEqual(['patch of one', 'patch of two', 'zstd']);
    await dropWire(store, LAYER, first);
    expect(await recallWire(store, LAYER, first)).toBeUndefined();
    expect(await madeWires(store)).toEqual(
      new Map([
        [wireName(LAYER, second), 8],
        [wireName(LAYER, 'zstd'), 7],
      ]),
    );
  });

  test('has made none yet in a new store', async () => {
    expect(await madeWires(store)).toEqual(new Map());
  });

  test('that is plain is the blob itself', async () => {
    const compressor = counting();
    const wire = await wireOf('plain', compressor);
    expect([wire.size, compressor.made]).toEqual([5, []]);
  });

  test('is not kept when compressing fails', async () => {
    const failing: Compressor = {
      ...counting(),
      compress: async (_from, to) => {
        await writeFile(to, 'half');
        throw new Error('no space left');
      },
    };
    await expect(wireOf('zstd', failing)).rejects.toThrow('no space left');
    const compressor = counting();
    await wireOf('zstd', compressor);
    expect(compressor.made).toEqual(['zstd']);
    expect(await readdir(join(store.folder, 'scratch'))).toEqual([]);
  });

  test.each(['zstd', 'plain'] as const)(
    'as %s is not made of a blob that the disk damaged; the store forgets it',
    async (form) => {
      await writeFile(store.path(LAYER), 'lAyer');
      const making = wireOf(form, counting());
      await expect(making).rejects.toMatchObject({ kind: 'integrity', retryable: true });
      expect(await store.size(LAYER)).toBeUndefined();
    },
  );

  test.each(['zstd', 'plain'] as const)('as %s is not made of a blob that left', async (form) => {
    await rm(store.path(LAYER));
    const making = wireOf(form, counting());
    await expect(making).rejects.toThrow('left the store meanwhile');
  });

  test.each([
    ['cut short', 'as'],
    ['made longer', 'as zstd and more'],
    ['emptied', ''],
  ])('F11: that is %s before it was sent is an error, not a shorter file', async (_, bytes) => {
    const wire = await wireOf('zstd', counting());
    await writeFile(join(store.folder, 'wire', wireName(LAYER, 'zstd')), bytes);
    const sending = text(Readable.from(wire.open()));
    await expect(sending).rejects.toMatchObject({ kind: 'integrity', retryable: true });
  });
});
