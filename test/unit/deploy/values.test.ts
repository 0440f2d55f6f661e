import { assert, constantFrom, dictionary, oneof, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseUserValues } from '../../../src/deploy/user-values.ts';
import type { Values } from '../../../src/deploy/tree.ts';
import { deriveValues, HOLD_LABEL, merge } from '../../../src/deploy/values.ts';

const AGENT = { value: 'image', digestName: 'quay.io/cilium/cilium:dev-0123456789ab' };
const OPERATOR = {
  value: 'operator.image',
  digestName: 'quay.io/cilium/operator:dev-ba9876543210',
};

describe('the derived values', () => {
  const values = deriveValues([AGENT, OPERATOR]);

  test('K4: name each image by its digest name, never to be pulled and without a digest', () => {
    const image = { useDigest: false, pullPolicy: 'Never' };
    expect(values['image']).toEqual({ ...image, override: AGENT.digestName });
    expect(values['operator']).toEqual({
      image: { ...image, override: OPERATOR.digestName },
      rollOutPods: true,
    });
  });

  test('restart what a changed ConfigMap concerns, envoy one node at a time', () => {
    expect(values['rollOutCiliumPods']).toBe(true);
    expect(values['envoy']).toEqual({
      rollOutPods: true,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    });
  });

  test('keep agents off held nodes, with or without images', () => {
    const free = [{ matchExpressions: [{ key: HOLD_LABEL, operator: 'DoesNotExist' }] }];
    expect(deriveValues([])['affinity']).toEqual({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: free },
      },
    });
  });
});

describe('values merged over others', () => {
  test('keep what the upper ones do not speak of', () => {
    const base = { a: { b: 1, c: [1, 2] }, d: 'base' };
    expect(merge(base, { a: { c: [3] }, e: null })).toEqual({
      a: { b: 1, c: [3] },
      d: 'base',
      e: null,
    });
  });

  test('replace a tree by a plain value and the other way round', () => {
    expect(merge({ a: { b: 1 } }, { a: null })).toEqual({ a: null });
    expect(merge({ a: [1] }, { a: { b: 1 } })).toEqual({ a: { b: 1 } });
  });

  test('win every time, change nothing that is there, and once is enough', () => {
    const key = constantFrom('a', 'b', 'c');
    const plain = constantFrom<unknown>(1, 2, null, [3]);
    const tree = dictionary(key, oneof(plain, dictionary(key, plain)));
    assert(
      property(tree, tree, (base, over) => {
        const before = structuredClone([base, over]);
        const merged = merge(base, over);
        expect(merged).toMatchObject(over);
        expect(merge(merged, over)).toEqual(merged);
        expect(Object.keys(merged)).toEqual(expect.arrayContaining(Object.keys(base)));
        expect([base, over]).toEqual(before);
      }),
    );
  });
});

describe('the user’s values file', () => {
  test('is a tree of keys', () => {
    expect(parseUserValues('MTU: 1400\nhubble:\n  relay: { enabled: true }\n', 'v.yaml')).toEqual({
      MTU: 1400,
      hubble: { relay: { enabled: true } },
    });
  });

  test.each(['', '# nothing yet\n', 'null'])('may be empty (%j)', (text) => {
    expect(parseUserValues(text, 'v.yaml')).toEqual({});
  });

  test.each([
    ['a tab', 'a:\n\tb: 1\n', /line 2/],
    ['a key twice', 'MTU: 1400\nMTU: 1500\n', /line 2: the key MTU is there twice/],
    ['an open quote', 'a: "b\n', /line/],
    ['a second document', 'a: 1\n---\nb: 2\n', /line|document/i],
  ])('with %s is refused, with the place', (_, text, place) => {
    const parsing = (): Values => parseUserValues(text, 'v.yaml');
    expect(parsing).toThrowError(
      expect.objectContaining({
        kind: 'config',
        message: 'v.yaml is not YAML',
        details: expect.arrayContaining([expect.stringMatching(place)]),
      }),
    );
  });

  test.each(['- a\n- b\n', 'text', '7'])('that holds no keys is refused (%j)', (text) => {
    expect(() => parseUserValues(text, 'v.yaml')).toThrow('v.yaml holds no keys');
  });
});
