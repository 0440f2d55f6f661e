import { describe, expect, test } from 'vitest';
import type { Pod } from '../../../src/deploy/cluster.ts';
import { neediestFirst } from '../../../src/deploy/order.ts';
import { agent } from '../../support/fake-cluster.ts';

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

  test('but not one that works before another of them that does not', () => {
    const pods = [on('a'), on('b'), on('c', { ready: false })];
    const all = new Set(pods.map(({ uid }) => uid));
    expect(neediestFirst(order, pods, all)).toEqual(['c', 'a', 'b']);
  });
});
