import { describe, expect, test } from 'vitest';
import type { NodeStore } from '../../../src/facts/node-store.ts';
import { proveImage } from '../../../src/import/prove.ts';
import { EMPTY_NODE, nodeWith, shipImage } from '../../support/values.ts';

const IMAGE = shipImage('cilium', ['base', 'agent']);
const WHOLE = nodeWith([IMAGE]);
const { signal } = new AbortController();

/** A node that says one thing after the other, and the last for ever. */
function saying(...stores: readonly NodeStore[]) {
  const looks = { count: 0 };
  const probe = async (): Promise<NodeStore> =>
    stores[looks.count++] ?? stores.at(-1) ?? EMPTY_NODE;
  return { looks, probe };
}

describe('an image is proved', () => {
  test('as soon as the node says so', async () => {
    const node = saying(WHOLE);
    await expect(proveImage('worker', IMAGE, node.probe, signal)).resolves.toMatchObject({
      config: IMAGE.config.digest,
    });
    expect(node.looks.count).toBe(1);
  });

  test('when the CRI sees it a moment after containerd has it', async () => {
    const node = saying({ ...WHOLE, cri: [] }, WHOLE);
    await proveImage('worker', IMAGE, node.probe, signal);
    expect(node.looks.count).toBe(2);
  });

  test.each([
    ['no such name', EMPTY_NODE],
    ['not pinned, not seen by the CRI', { ...WHOLE, cri: [] }],
  ])('not with %s, which the message says', async (lack, store) => {
    const proving = proveImage('worker', IMAGE, saying(store).probe, signal, -1);
    await expect(proving).rejects.toMatchObject({
      kind: 'storage',
      message: `worker: ${IMAGE.name} is not proved: ${lack}`,
      retryable: true,
    });
  });

  test('no longer than the command may run', async () => {
    const controller = new AbortController();
    const proving = proveImage('worker', IMAGE, saying(EMPTY_NODE).probe, controller.signal);
    controller.abort();
    await expect(proving).rejects.toThrow('aborted');
  });
});
