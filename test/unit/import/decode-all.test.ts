import { describe, expect, test } from 'vitest';
import { decodeAll } from '../../../src/import/decode.ts';
import { BASE_CHANGED, BASE_GONE, NO_SPACE, WRONG_BYTES } from '../../../src/import/layout.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';
import { blob } from '../../support/values.ts';

const LAYER = blob('layer', 'new');
const CONFIG = blob('config', 'config');
const SENT = [
  { blob: LAYER, form: { base: blob('layer', 'old') } },
  { blob: CONFIG, form: 'plain' as const },
];

interface Outcome {
  /** What was sent once more, and why. */
  readonly again: readonly string[];
  readonly node: FakeNode;
  readonly error: unknown;
}

/** Decodes a patch that ends with a code, and the whole layer if it is wanted. */
async function decode(patch: number, whole = 0): Promise<Outcome> {
  const again: string[] = [];
  const node = fakeNode((command) => {
    if (command.includes('--patch-from')) return { code: patch };
    return command.includes('gzip') ? { code: whole } : undefined;
  });
  const run = { signal: new AbortController().signal, progress: () => undefined };
  const error: unknown = await decodeAll('worker', SENT, node, run, async (layer, why) => {
    again.push(`${layer.digest} ${why}`);
    return { blob: layer, form: 'gzip' };
  }).catch((thrown: unknown) => thrown);
  return { again, node, error };
}

describe('a layer that came as a patch', () => {
  test('is not sent again when the patch makes it', async () => {
    const { again, node, error } = await decode(0);
    expect(error).toBeUndefined();
    expect(again).toEqual([]);
    expect(node.asked).toHaveLength(2);
  });

  test.each([
    [WRONG_BYTES, 'the patch gave other bytes'],
    [BASE_GONE, 'the layer it is a patch of is gone from the node'],
    [BASE_CHANGED, 'the layer it is a patch of has other bytes on the node'],
  ])('D14: is sent whole, once, when the patch ends with %i: %s', async (code, why) => {
    const { again, node, error } = await decode(code);
    expect(error).toBeUndefined();
    expect(again).toEqual([`${LAYER.digest} ${why}`]);
    expect(node.asked).toHaveLength(3);
  });

  test('fails the import when the whole layer has other bytes too', async () => {
    const { again, error } = await decode(BASE_GONE, WRONG_BYTES);
    expect(error).toMatchObject({ kind: 'integrity', retryable: true });
    expect(again).toHaveLength(1);
  });

  test('is not sent again for want of room', async () => {
    const { again, error } = await decode(NO_SPACE);
    expect(error).toMatchObject({ kind: 'storage' });
    expect(again).toEqual([]);
  });
});

describe('a blob that came as a whole', () => {
  async function decodeWhole(code: number): Promise<unknown> {
    const node = fakeNode(() => ({ code }));
    const run = { signal: new AbortController().signal, progress: () => undefined };
    const never = async (): Promise<never> => {
      throw new Error('it is wanted again');
    };
    const sent = [{ blob: CONFIG, form: 'plain' as const }];
    return decodeAll('worker', sent, node, run, never).catch((error: unknown) => error);
  }

  test('F26: with other bytes is an integrity failure', async () => {
    expect(await decodeWhole(WRONG_BYTES)).toMatchObject({ kind: 'integrity', retryable: true });
  });

  test('F19: and finds no room is none: the node is full', async () => {
    expect(await decodeWhole(NO_SPACE)).toMatchObject({
      kind: 'storage',
      message: expect.stringMatching(/^worker: no room for blob [0-9a-f]{12} of 1 MB under /),
    });
  });
});
