import { describe, expect, test } from 'vitest';
import { requireSameMachines } from '../../../src/deploy/gate.ts';
import { deriveValues, HOLD_LABEL } from '../../../src/deploy/values.ts';
import { clusterNode, configNode } from '../../support/fake-cluster.ts';
import { EMPTY_NODE } from '../../support/values.ts';

const NODE = configNode('worker');

function judge(seen: { bootId: string; machineId: string }, machine: typeof seen): void {
  const stores = new Map([['worker', { ...EMPTY_NODE, machine }]]);
  requireSameMachines([clusterNode('worker', seen)], [NODE], stores);
}

describe('the machine behind SSH', () => {
  const SEEN = { bootId: 'b-1', machineId: 'm1' };

  test.each([
    ['the same', SEEN],
    ['the same without dashes', { bootId: 'b1', machineId: 'm1' }],
    ['unknown', { bootId: '', machineId: '' }],
    ['one that says its boot only', { bootId: 'b-1', machineId: '' }],
    ['one that says its machine only', { bootId: '', machineId: 'm-1' }],
  ])('may be %s', (_, machine) => {
    expect(() => judge(SEEN, machine)).not.toThrow();
  });

  test.each([
    ['boot', { bootId: 'b-2', machineId: 'm1' }],
    ['machine', { bootId: 'b-1', machineId: 'm2' }],
    ['boot (the machine unknown)', { bootId: 'b-2', machineId: '' }],
  ])('may not have another %s id than the node of the cluster', (_, machine) => {
    expect(() => judge(SEEN, machine)).toThrow('not those of the cluster');
  });

  test('may be any where the cluster says nothing, or the node was not asked', () => {
    expect(() => judge({ bootId: '', machineId: '' }, SEEN)).not.toThrow();
    const seen = [clusterNode('worker', SEEN)];
    expect(() => requireSameMachines(seen, [NODE], new Map())).not.toThrow();
  });

  test('is found by its Kubernetes name, and every wrong one is named', () => {
    const nodes = [configNode('a', { nodeName: 'k-a' }), configNode('b'), configNode('gone')];
    const machine = { bootId: 'b-2', machineId: 'm1' };
    const stores = new Map(nodes.map(({ name }) => [name, { ...EMPTY_NODE, machine }]));
    const cluster = [clusterNode('k-a', { bootId: 'b-2' }), clusterNode('b', SEEN)];
    expect(() => requireSameMachines(cluster, nodes, stores)).toThrowError(
      expect.objectContaining({
        kind: 'config',
        details: [
          'b: b is not the machine that Kubernetes calls b',
          'gone: the cluster has no node gone',
          'the cluster has: k-a, b',
        ],
        hint: expect.stringContaining('--context'),
      }),
    );
  });

  test('must be a node of the cluster at all', () => {
    expect(() => requireSameMachines([clusterNode('other')], [NODE], new Map())).toThrow(
      'not those of the cluster',
    );
  });
});

describe('the affinity that holds agents back', () => {
  const path = ['affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'];
  const own = { key: 'disk', operator: 'In', values: ['ssd'] };
  const free = { key: HOLD_LABEL, operator: 'DoesNotExist' };

  function terms(user: object): unknown {
    const derived: unknown = deriveValues([], { ...user });
    const affinity = path.reduce<unknown>(
      (tree, key) => (tree as Record<string, unknown>)[key],
      derived,
    );
    return (affinity as { nodeSelectorTerms: unknown }).nodeSelectorTerms;
  }

  test('is one condition when the user has none', () => {
    expect(terms({})).toEqual([{ matchExpressions: [free] }]);
  });

  test('is one condition when the user’s list is empty', () => {
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } };
    expect(terms({ affinity: { nodeAffinity: required } })).toEqual([{ matchExpressions: [free] }]);
  });

  test('is added to each of the user’s own terms, which stay', () => {
    const nodeSelectorTerms = [{ matchExpressions: [own] }, { matchFields: ['x'] }];
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
    expect(terms({ affinity: { nodeAffinity: required } })).toEqual([
      { matchExpressions: [own, free] },
      { matchFields: ['x'], matchExpressions: [free] },
    ]);
  });
});
