import { assert, boolean, constantFrom, property, record, subarray, uniqueArray } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blobsOf, type ShipImage } from '../../../src/core/image.ts';
import type { NodeStore } from '../../../src/facts/node-store.ts';
import { planNode, type NodePlan } from '../../../src/transfer/plan.ts';
import { EMPTY_NODE, nodeWith, shipImage } from '../../support/values.ts';

const AGENT = shipImage('cilium', ['base', 'agent']);
const OPERATOR = shipImage('operator-generic', ['base', 'operator']);

function plan(images: readonly ShipImage[], store: NodeStore): NodePlan {
  return planNode('worker', images, store, 'auto');
}

/** `layer zstd 4` for each blob to send. */
function sending({ send }: NodePlan): readonly string[] {
  return send.map(({ blob, form }) => `${blob.kind} ${form} ${blob.size}`);
}

describe('the plan for a node', () => {
  test('is empty when every image is proved there', () => {
    const made = plan([AGENT, OPERATOR], nodeWith([AGENT, OPERATOR]));
    expect(made).toEqual({ node: 'worker', images: [], send: [], present: [] });
  });

  test('sends everything to an empty node, a shared layer once', () => {
    const made = plan([AGENT, OPERATOR], EMPTY_NODE);
    expect(made.images).toEqual([AGENT, OPERATOR]);
    expect(made.send.map(({ blob }) => blob)).toEqual([
      ...blobsOf(AGENT),
      ...blobsOf(OPERATOR).slice(1),
    ]);
  });

  test('sends only the layers that the node lacks', () => {
    const made = plan([AGENT], nodeWith([shipImage('cilium', ['base', 'agent of yesterday'])]));
    expect(sending(made)[0]).toBe('layer zstd 5');
    expect(made.send).toHaveLength(3);
    expect(made.present).toEqual([AGENT.layers[0]]);
  });

  test('always sends config and manifest of an image that is not proved', () => {
    const content = new Set(blobsOf(AGENT).map(({ digest }) => digest));
    const made = plan([AGENT], { ...EMPTY_NODE, content });
    expect(made.send.map(({ blob, form }) => [blob.kind, form])).toEqual([
      ['config', 'plain'],
      ['manifest', 'plain'],
    ]);
  });

  test('takes no notice of an image that is there already beside a new one', () => {
    const made = plan([AGENT, OPERATOR], nodeWith([AGENT]));
    expect(made.images).toEqual([OPERATOR]);
    expect(made.present).toEqual([OPERATOR.layers[0]]);
  });

  test('has every blob of every open image exactly once, sent or present', () => {
    const words = constantFrom('base', 'libs', 'agent', 'operator', 'relay');
    const layers = uniqueArray(words, { minLength: 1 });
    const scene = record({ one: layers, two: layers, kept: subarray(['base', 'libs', 'agent']) });
    assert(
      property(scene, boolean(), ({ one, two, kept }, proved) => {
        const images = [shipImage('cilium', one), shipImage('operator-generic', two)];
        const store = proved ? nodeWith(images.slice(0, 1)) : EMPTY_NODE;
        const content = new Set([
          ...store.content,
          ...shipImage('any', kept).layers.map(({ digest }) => digest),
        ]);
        const { send, present } = plan(images, { ...store, content });
        const planned = [...send.map(({ blob }) => blob), ...present].map(({ digest }) => digest);
        const wanted = images.slice(proved ? 1 : 0).flatMap(blobsOf);
        expect(planned).toHaveLength(new Set(planned).size);
        expect(new Set(planned)).toEqual(new Set(wanted.map(({ digest }) => digest)));
        expect(present.every(({ digest }) => content.has(digest))).toBe(true);
      }),
    );
  });
});

describe('layers travel', () => {
  test('as gzip to a node without zstd', () => {
    expect(sending(plan([AGENT], { ...EMPTY_NODE, zstd: false }))[0]).toBe('layer gzip 4');
  });

  test('as gzip when the config says so', () => {
    expect(sending(planNode('worker', [AGENT], EMPTY_NODE, 'gzip'))[0]).toBe('layer gzip 4');
  });

  test('not at all when the config insists on a zstd that the node lacks', () => {
    const planning = (): NodePlan =>
      planNode('worker', [AGENT], { ...EMPTY_NODE, zstd: false }, 'zstd');
    expect(planning).toThrowError(expect.objectContaining({ kind: 'config' }));
    expect(planning).toThrow('worker: transfer.compression is zstd, but zstd is not installed');
  });

  test('and without a layer to send nobody asks for that zstd', () => {
    const content = new Set(AGENT.layers.map(({ digest }) => digest));
    const made = planNode('worker', [AGENT], { ...EMPTY_NODE, zstd: false, content }, 'zstd');
    expect(made.send.map(({ form }) => form)).toEqual(['plain', 'plain']);
  });
});

describe('a node of another platform', () => {
  test('is refused before anything is sent, even when all of it is there', () => {
    for (const store of [EMPTY_NODE, nodeWith([AGENT])]) {
      const planning = (): NodePlan => plan([AGENT], { ...store, platform: 'linux/arm64' });
      expect(planning).toThrowError(expect.objectContaining({ kind: 'config' }));
      expect(planning).toThrow(`worker is linux/arm64, ${AGENT.name} is linux/amd64`);
    }
  });

  test('is refused for one image of several', () => {
    const arm = { ...OPERATOR, platform: 'linux/arm64' as const };
    expect(() => plan([AGENT, arm], EMPTY_NODE)).toThrow(`${OPERATOR.name} is linux/arm64`);
  });

  test('is not supposed where nobody knows the platform', () => {
    expect(plan([AGENT], { ...EMPTY_NODE, platform: undefined }).images).toEqual([AGENT]);
  });
});

describe('a node without room', () => {
  const large = { ...AGENT, layers: AGENT.layers.map((layer) => ({ ...layer, size: 500e6 })) };

  test('is refused before anything is sent, with the free and the needed space', () => {
    const planning = (): NodePlan => plan([large], { ...EMPTY_NODE, free: 1.5e9 });
    expect(planning).toThrowError(expect.objectContaining({ kind: 'storage' }));
    expect(planning).toThrow(/^worker: 1\.50 GB free .* 4\.27 GB needed for 4 blobs$/);
  });

  test('is good enough when nothing is to be sent', () => {
    expect(plan([large], { ...nodeWith([large]), free: 0 }).send).toEqual([]);
  });
});
