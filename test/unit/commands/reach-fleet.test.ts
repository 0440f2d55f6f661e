import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { checkFleetReach } from '../../../src/commands/shared/machines.ts';
import { ShipError } from '../../../src/core/errors.ts';
import { testContext } from '../../support/context.ts';
import { fakeNode } from '../../support/fake-node.ts';

const NODES = {
  master: { ssh: 'master', role: 'server', dataInterface: 'eth0', dataAddress: '10.4.100.1/16' },
  worker: { ssh: 'worker', role: 'agent', dataInterface: 'eth1', dataAddress: '10.4.100.2/16' },
};

test('a node whose connection ends while it is asked is a failure, and the other one is told of', async () => {
  const { context } = testContext(tmpdir(), {}, { nodes: NODES });
  const gone = new ShipError('network', 'worker: the connection was lost');
  const { results, failures } = await checkFleetReach(context, {
    sessions: new Map([
      ['master', fakeNode()],
      ['worker', fakeNode(() => gone)],
    ]),
  });
  expect([...failures]).toEqual([['worker', gone]]);
  expect(results.get('master')?.map(({ state }) => state)).toEqual(['ok', 'unknown']);
});
