import { describe, expect, test } from 'vitest';
import { OPERATOR_CONTAINER } from '../../../src/deploy/agents.ts';
import { checkOperator } from '../../../src/deploy/check-pods.ts';
import { agent, container } from '../../support/fake-cluster.ts';
import { digestOf, shipImage } from '../../support/values.ts';

const OPERATOR = shipImage('operator-generic', ['operator']);
const WANTED = { operatorImage: OPERATOR.config.digest };

describe('the operator', () => {
  const running = container({ name: OPERATOR_CONTAINER, imageId: OPERATOR.config.digest });
  const states = (pods: Parameters<typeof checkOperator>[1]): readonly string[] =>
    checkOperator(WANTED, pods).map(({ node, state }) => `${node} ${state}`);

  test('is judged where it runs, and an ending one is passed over', () => {
    const ending = agent('operator-1', { deleting: true, node: 'master' });
    const pods = [ending, agent('operator-2', { containers: [running] })];
    expect(states(pods)).toEqual(['worker ok', 'worker ok']);
  });

  test('is judged everywhere: one good one hides no bad one', () => {
    const good = agent('operator-1', { node: 'master', containers: [running] });
    const old = container({ name: OPERATOR_CONTAINER, imageId: digestOf('older') });
    const bad = agent('operator-2', { containers: [old], ready: false });
    const all = ['master ok', 'master ok', 'worker failed', 'worker failed'];
    expect(states([good, bad])).toEqual(all);
    expect(states([bad, good])).toEqual(all.toReversed());
  });

  test('that does not run is the cluster’s failure', () => {
    expect(states([])).toEqual(['cluster failed', 'cluster failed']);
  });
});
