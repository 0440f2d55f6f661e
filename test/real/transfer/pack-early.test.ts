import { join } from 'node:path';
import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { packEarly } from '../../../src/commands/shared/pack-early.ts';
import type { AskedNode } from '../../../src/commands/shared/look-nodes.ts';
import type { Blob, BuiltImage } from '../../../src/core/image.ts';
import type { NodeStore } from '../../../src/facts/node-store.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { compressor } from '../../../src/system/compress.ts';
import type { SendBlob } from '../../../src/transfer/plan.ts';
import { testContext } from '../../support/context.ts';
import { testFolder } from '../../support/folder.ts';
import { missingPart, run } from '../../support/parts.ts';
import { digestOf, EMPTY_NODE } from '../../support/values.ts';

const missing = await missingPart('zstd', () => run(['zstd', '--version']));
const { signal } = new AbortController();
const BYTES = Buffer.alloc(100_000, 'a layer');

let store: BlobStore;
let layer: Blob;
beforeEach(async () => {
  store = await openStore(testFolder());
  layer = { kind: 'layer', digest: digestOf(BYTES), size: BYTES.length };
  await store.put(layer.digest, Readable.from([BYTES]));
});

function imageWith({ digest }: Blob): BuiltImage {
  return {
    ...{ key: 'cilium', name: 'quay.io/cilium/cilium:dev', platform: 'linux/amd64' },
    ...{ id: digestOf('id'), diffIds: [digest] },
  };
}

function asked(node: Promise<NodeStore>): AskedNode {
  node.catch(() => undefined);
  return { store: node, rate: async () => 100e6 };
}

function sendOf(blob: Blob): SendBlob {
  const expected = { bytes: blob.size, seconds: undefined };
  return { blob, form: 'zstd', expected, whole: { form: 'zstd', expected } };
}

const packed = (): readonly string[] => {
  try {
    return readdirSync(join(store.folder, 'wire'));
  } catch {
    return [];
  }
};

describe.skipIf(missing !== undefined)('a layer that came out of Docker before the rest', () => {
  test('is packed as soon as a node is known to lack it, and not a second time', async () => {
    await using packing = packEarly(testContext(testFolder()).context, store);
    packing.landed(layer, [imageWith(layer)]);
    expect(packed()).toEqual([]);
    const given: string[] = [];
    packing.begin(new Map([['worker', asked(Promise.resolve(EMPTY_NODE))]]), (node, { form }) => {
      given.push(`${node} ${JSON.stringify(form)}`);
    });
    await expect.poll(() => given).toEqual(['worker "zstd"']);
    expect(packed()).toHaveLength(1);
    const never = { ...compressor, compress: () => Promise.reject(new Error('packed twice')) };
    const file = await packing.make(sendOf(layer), never, signal);
    expect(file).toMatchObject({ digest: layer.digest, form: 'zstd' });
  });

  test('is not packed when every node has it, or does not answer', async () => {
    const has = { ...EMPTY_NODE, content: new Set([layer.digest]) };
    const packing = packEarly(testContext(testFolder()).context, store);
    packing.begin(
      new Map([
        ['master', asked(Promise.resolve(has))],
        ['worker', asked(Promise.reject(new Error('silent')))],
      ]),
      () => expect.unreachable('nobody lacks it'),
    );
    packing.landed(layer, [imageWith(layer)]);
    await packing[Symbol.asyncDispose]();
    expect(packed()).toEqual([]);
  });

  test('is left to the plan when it cannot be packed early', async () => {
    const packing = packEarly(testContext(testFolder()).context, store);
    packing.landed(layer, [imageWith(layer)]);
    await packing[Symbol.asyncDispose]();
    expect(packed()).toEqual([]);
    expect(await packing.make(sendOf(layer), compressor, signal)).toMatchObject({ form: 'zstd' });
  });
});
