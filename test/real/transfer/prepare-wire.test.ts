import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { packLate } from '../../../src/commands/shared/pack-early.ts';
import { prepareWire } from '../../../src/commands/shared/prepare-wire.ts';
import { createRedactor } from '../../../src/core/redact.ts';
import type { Blob } from '../../../src/core/image.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { createOutput } from '../../../src/output/output.ts';
import { compressor, compressorFor } from '../../../src/system/compress.ts';
import { planNode, type NodePlan, type SendBlob } from '../../../src/transfer/plan.ts';
import { testFolder } from '../../support/folder.ts';
import { missingPart, run } from '../../support/parts.ts';
import { randomNumbers, seedOf } from '../../support/random.ts';
import { blob, digestOf, EMPTY_NODE, PLANNING, shipImage } from '../../support/values.ts';

const missing = await missingPart('zstd', () => run(['zstd', '--version']));
const random = randomNumbers(seedOf('wire forms'));
const noise = (size: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: size }, () => random(256)));

const { signal } = new AbortController();
const output = createOutput({
  redactor: createRedactor(),
  mode: 'quiet',
  format: 'text',
  sinks: [],
  stdout: () => undefined,
  stderr: () => undefined,
});

const OLD = noise(200_000);

let store: BlobStore;
beforeEach(async () => {
  store = await openStore(testFolder());
});

async function stored(bytes: Buffer): Promise<Blob> {
  const digest = digestOf(bytes);
  await store.put(digest, Readable.from([bytes]));
  return { kind: 'layer', digest, size: bytes.length };
}

/** A plan to send `bytes` to a node as a patch of OLD, and to another one, without it, whole. */
async function plans(bytes: Buffer): Promise<readonly [patched: NodePlan, whole: NodePlan]> {
  const base = await stored(OLD);
  const image = { ...shipImage('cilium', []), layers: [await stored(bytes)] };
  await store.put(image.config.digest, Readable.from(['config of cilium over ']));
  await store.put(image.manifest.digest, Readable.from(['manifest of cilium over ']));
  const earlier = new Map(image.layers.map(({ digest }) => [digest, [base]]));
  const planning = { ...PLANNING, patch: 'always' as const, earlier };
  const node = { ...EMPTY_NODE, content: new Set([base.digest]) };
  return [
    planNode('worker', [image], node, planning),
    planNode('master', [image], EMPTY_NODE, planning),
  ];
}

function packing(by: typeof compressor) {
  return (send: SendBlob, ending: AbortSignal) => packLate(store)(send, by, ending);
}

function never(): never {
  throw new Error('nothing is planned');
}

/** What became of the layer that was planned as a patch. */
async function layerOf(bytes: Buffer): Promise<SendBlob | undefined> {
  const planned = await plans(bytes);
  const preparing = prepareWire({ output, signal }, planned, store, packing(compressor));
  const prepared = await preparing.plans;
  for (const [at, { send }] of planned.entries()) {
    for (const [index, one] of send.entries()) {
      const made = prepared[at]?.send[index];
      const file = await preparing.wire(one);
      expect(file).toMatchObject({ form: made?.form, size: made?.expected.bytes });
    }
  }
  return prepared[0]?.send[0];
}

test.skipIf(missing !== undefined)(
  'a wire form is given away as soon as it is made, while the next one is still being made',
  async () => {
    const layers = [await stored(noise(1_000)), await stored(noise(2_000))];
    const image = { ...shipImage('cilium', []), layers };
    await store.put(image.config.digest, Readable.from(['config of cilium over ']));
    await store.put(image.manifest.digest, Readable.from(['manifest of cilium over ']));
    const plan = planNode('worker', [image], EMPTY_NODE, PLANNING);
    const second = Promise.withResolvers<void>();
    let begun = 0;
    const slow: typeof compressor = {
      ...compressor,
      compress: async (...args) => {
        begun += 1;
        if (begun === 2) await second.promise;
        await compressor.compress(...args);
      },
    };
    const preparing = prepareWire({ output, signal }, [plan], store, packing(slow));
    const [first = never(), next = never()] = plan.send;
    expect(await preparing.wire(first)).toMatchObject({ digest: first.blob.digest });
    const isMade = preparing.wire(next).then(() => true);
    expect(await Promise.race([isMade, Promise.resolve(false)])).toBe(false);
    second.resolve();
    expect(await isMade).toBe(true);
    expect((await preparing.plans)[0]?.send).toHaveLength(4);
  },
);

describe.skipIf(missing !== undefined)('a planned patch', () => {
  test('stays one when it is small, while another node gets the layer whole', async () => {
    const layer = await layerOf(Buffer.concat([OLD, noise(1_000)]));
    expect(layer?.form).toEqual({
      base: { ...blob('layer', ''), digest: digestOf(OLD), size: OLD.length },
    });
    expect(layer?.expected.bytes).toBeLessThan(2_000);
    expect(readdirSync(join(store.folder, 'wire'))).toHaveLength(2);
  });

  test('stays one when it is large, as long as the layer is larger', async () => {
    const layer = await layerOf(Buffer.concat([OLD.subarray(0, 100_000), noise(100_000)]));
    expect(layer?.form).toHaveProperty('base');
    expect(layer?.expected.bytes).toBeGreaterThan(100_000);
  });

  test('gives way to the layer when it is no smaller, and says so', async () => {
    const layer = await layerOf(noise(200_000));
    expect(layer?.form).toBe('zstd');
    expect(layer?.sentWhole).toMatch(/^the patch is no smaller: 200 kB$/);
    expect(layer?.expected.bytes).toBeGreaterThan(199_000);
  });

  test('gives way to the layer when the store lost its base meanwhile', async () => {
    const bytes = Buffer.concat([OLD, noise(1_000)]);
    const [patched] = await plans(bytes);
    rmSync(store.path(digestOf(OLD)));
    const { plans: made } = prepareWire({ output, signal }, [patched], store, packing(compressor));
    const prepared = await made;
    expect(prepared[0]?.send[0]).toMatchObject({
      form: 'zstd',
      sentWhole: 'the patch could not be made',
    });
  });

  test('fails with its layer, which no other form could bring either', async () => {
    const bytes = Buffer.concat([OLD, noise(1_000)]);
    const [patched] = await plans(bytes);
    rmSync(store.path(digestOf(bytes)));
    const preparing = prepareWire({ output, signal }, [patched], store, packing(compressor));
    const failure = { kind: 'integrity', retryable: true };
    await expect(preparing.plans).rejects.toMatchObject(failure);
    const [layer] = patched.send;
    await expect(preparing.wire(layer ?? never())).rejects.toMatchObject(failure);
  });
});

test.skipIf(missing !== undefined)('a layer for a slow link is packed smaller', async () => {
  const folder = testFolder();
  const sizeFor = async (rate: number | undefined): Promise<number> => {
    const to = join(folder, `${rate}.zst`);
    const packer = compressorFor({ rate, memory: 2 ** 30 });
    await packer.compress('package-lock.json', to, 'zstd', signal);
    return statSync(to).size;
  };
  const fast = await sizeFor(undefined);
  expect(await sizeFor(100e6)).toBe(fast);
  expect(await sizeFor(10e6)).toBeLessThan(fast);
  expect(await sizeFor(1e6)).toBeLessThan(await sizeFor(10e6));
});

test.skipIf(missing !== undefined)(
  'a layer for nodes with memory is packed with matches from far before',
  async () => {
    const folder = testFolder();
    const [from, far] = [join(folder, 'layer'), noise(1 << 20)];
    writeFileSync(from, Buffer.concat([far, noise(12 << 20), far]));
    const sizeFor = async (memory: number): Promise<number> => {
      const to = join(folder, `${memory}.zst`);
      await compressorFor({ rate: undefined, memory }).compress(from, to, 'zstd', signal);
      return statSync(to).size;
    };
    expect(await sizeFor(2 ** 30)).toBeLessThan((await sizeFor(2 ** 28)) - 900_000);
  },
);
