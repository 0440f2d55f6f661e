import { describe, expect, test } from 'vitest';
import { candidateNodes } from '../../../src/deploy/candidates.ts';
import type { ClusterNode, Taint } from '../../../src/deploy/cluster.ts';
import type { Expression, RenderedWorkload, Toleration } from '../../../src/deploy/manifest.ts';
import { HOLD_LABEL } from '../../../src/deploy/values.ts';
import { clusterNode } from '../../support/fake-cluster.ts';

const ANYWHERE: RenderedWorkload = {
  kind: 'DaemonSet',
  name: 'cilium',
  images: [],
  nodeSelector: {},
  tolerations: [],
  affinityTerms: [],
};

function runsOn(workload: Partial<RenderedWorkload>, node: Partial<ClusterNode>): boolean {
  const nodes = [clusterNode('worker', node)];
  return candidateNodes({ ...ANYWHERE, ...workload }, nodes).length === 1;
}

test('a workload that asks for nothing may run on every node', () => {
  const nodes = [clusterNode('master'), clusterNode('worker', { ready: false })];
  expect(candidateNodes(ANYWHERE, nodes)).toEqual(nodes);
});

test('a selector wants every one of its labels', () => {
  const nodeSelector = { os: 'linux', zone: 'a' };
  expect(runsOn({ nodeSelector }, { labels: { os: 'linux', zone: 'a', more: '' } })).toBe(true);
  expect(runsOn({ nodeSelector }, { labels: { os: 'linux' } })).toBe(false);
  expect(runsOn({ nodeSelector }, { labels: { os: 'linux', zone: 'b' } })).toBe(false);
});

describe('an affinity', () => {
  test.each<[Expression, string, boolean]>([
    [{ key: 'cpu', operator: 'In', values: ['4', '8'] }, '8', true],
    [{ key: 'cpu', operator: 'In', values: ['4'] }, '8', false],
    [{ key: 'gpu', operator: 'In', values: ['1'] }, '8', false],
    [{ key: 'cpu', operator: 'NotIn', values: ['8'] }, '8', false],
    [{ key: 'gpu', operator: 'NotIn', values: ['1'] }, '8', true],
    [{ key: 'cpu', operator: 'Exists' }, '8', true],
    [{ key: 'gpu', operator: 'Exists' }, '8', false],
    [{ key: 'cpu', operator: 'DoesNotExist' }, '8', false],
    [{ key: 'gpu', operator: 'DoesNotExist' }, '8', true],
    [{ key: 'cpu', operator: 'Gt', values: ['4'] }, '8', true],
    [{ key: 'cpu', operator: 'Gt', values: ['8'] }, '8', false],
    [{ key: 'gpu', operator: 'Gt', values: ['0'] }, '8', false],
    [{ key: 'cpu', operator: 'Lt', values: ['10'] }, '8', true],
    [{ key: 'gpu', operator: 'Lt', values: ['10'] }, '8', false],
  ])('of %o on a node with cpu=%s is judged %s', (expression, cpu, runs) => {
    expect(runsOn({ affinityTerms: [[expression]] }, { labels: { cpu } })).toBe(runs);
  });

  test('needs all expressions of one of its terms', () => {
    const exists = (key: string): Expression => ({ key, operator: 'Exists' });
    const affinityTerms = [[exists('a'), exists('b')], [exists('c')]];
    expect(runsOn({ affinityTerms }, { labels: { a: '', b: '' } })).toBe(true);
    expect(runsOn({ affinityTerms }, { labels: { c: '' } })).toBe(true);
    expect(runsOn({ affinityTerms }, { labels: { a: '' } })).toBe(false);
  });

  test('for the hold label excludes no node: it is let go during the rollout', () => {
    const affinityTerms = [[{ key: HOLD_LABEL, operator: 'DoesNotExist' }]];
    expect(runsOn({ affinityTerms }, { labels: { [HOLD_LABEL]: 'true' } })).toBe(true);
  });
});

describe('a taint', () => {
  const GPU: Taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };

  test.each<[string, Toleration]>([
    ['everything', { operator: 'Exists' }],
    ['its key', { key: 'gpu', operator: 'Exists' }],
    ['its key and value', { key: 'gpu', value: 'yes' }],
    ['exactly it', { key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSchedule' }],
  ])('lets in what tolerates %s', (_, toleration) => {
    expect(runsOn({ tolerations: [toleration] }, { taints: [GPU] })).toBe(true);
  });

  test.each<[string, readonly Toleration[]]>([
    ['nothing', []],
    ['another key', [{ key: 'cpu', operator: 'Exists' }]],
    ['another value', [{ key: 'gpu', value: 'no' }]],
    ['no value', [{ key: 'gpu' }]],
    ['another effect', [{ key: 'gpu', operator: 'Exists', effect: 'NoExecute' }]],
    ['no key, but a value', [{ value: 'yes' }]],
  ])('keeps out what tolerates %s', (_, tolerations) => {
    expect(runsOn({ tolerations }, { taints: [GPU] })).toBe(false);
  });

  test('that only prefers other nodes keeps nothing out', () => {
    expect(runsOn({}, { taints: [{ ...GPU, effect: 'PreferNoSchedule' }] })).toBe(true);
  });

  test.each(['node.kubernetes.io/not-ready', 'node.cilium.io/agent-not-ready'])(
    'that passes (%s) keeps nothing out',
    (key) => {
      expect(runsOn({}, { taints: [{ key, effect: 'NoExecute' }] })).toBe(true);
    },
  );

  test('keeps a workload out unless every one is tolerated', () => {
    const taints = [GPU, { key: 'other', effect: 'NoSchedule' }];
    expect(runsOn({ tolerations: [{ key: 'gpu', operator: 'Exists' }] }, { taints })).toBe(false);
  });
});
