import { describe, expect, test } from 'vitest';
import type { Pod } from '../../../src/deploy/cluster.ts';
import { FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import { NODE_CONFIG_ANNOTATION } from '../../../src/deploy/node-config.ts';
import { neediestFirst, suspectAgents } from '../../../src/deploy/order.ts';
import { agent, clusterThat } from '../../support/fake-cluster.ts';

const NONE = new Set<string>();
const on = (node: string, more: Partial<Pod> = {}): Pod =>
  agent(`agent-${node}`, { node, ...more });

describe('agents are replaced', () => {
  const order = ['a', 'b', 'c'];

  test('in the given order when all of them work, and when none is there', () => {
    expect(
      neediestFirst(
        order,
        order.map((node) => on(node)),
        NONE,
      ),
    ).toEqual(order);
    expect(neediestFirst(order, [], NONE)).toEqual(order);
  });

  test.each<[string, readonly Pod[]]>([
    ['is not ready', [on('a'), on('b'), on('c', { ready: false })]],
    ['ends', [on('a'), on('b'), on('c', { deleting: true })]],
    ['is missing', [on('a'), on('b')]],
  ])('first where one %s', (_, pods) => {
    expect(neediestFirst(order, pods, NONE)).toEqual(['c', 'a', 'b']);
  });

  test('first of all where one may be the cause', () => {
    const pods = [on('a'), on('b', { ready: false }), on('c')];
    expect(neediestFirst(order, pods, new Set([on('c').uid]))).toEqual(['c', 'b', 'a']);
  });
});

describe('suspects are', () => {
  const template = (hash: string) => ({ labels: { 'controller-revision-hash': hash } });
  const proved = { annotations: { [NODE_CONFIG_ANNOTATION]: 'none' } };
  const pods = [
    on('new', template('new')),
    on('new-proved', { ...template('new'), ...proved }),
    on('old', template('old')),
    on('old-proved', { ...template('old'), ...proved }),
  ];
  const cluster = clusterThat({ pods: async () => pods, currentHash: async () => 'new' });
  const entry = (revision: number, description: string) => ({
    ...{ revision, description },
    status: 'deployed',
  });
  const suspects = async (...descriptions: readonly string[]) => {
    const history = descriptions.map((text, index) => entry(index + 1, text));
    return [...(await suspectAgents(cluster, 'kube-system', history))];
  };

  test('none when the last rollout was finished', async () => {
    expect(await suspects(UNFINISHED, FINISHED)).toEqual([]);
  });

  test('the agents of an unfinished rollout that nobody proved', async () => {
    expect(await suspects(FINISHED, UNFINISHED)).toEqual(['uid of agent-new']);
  });

  test('the unproved ones that an unfinished rollback did not come to', async () => {
    expect(await suspects(UNFINISHED, FINISHED, UNFINISHED, 'Rollback to 1')).toEqual([
      'uid of agent-old',
    ]);
  });
});
