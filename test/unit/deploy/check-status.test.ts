import { expect, test } from 'vitest';
import type { Found } from '../../../src/deploy/validate.ts';
import { complaints, STATUS } from '../../support/valid-node.ts';

test.each<[string, Partial<Found>, readonly string[]]>([
  [
    'has an agent that disabled both accelerations',
    { status: { ...STATUS, acceleration: 'Disabled', vxlan: 'Disabled' } },
    [
      'failed acceleration in the agent: Disabled',
      'failed VXLAN acceleration in the agent: Disabled',
      'failed agent and kernel on eth1: agent none, kernel native',
    ],
  ],
  [
    'has an agent that chose other devices',
    { status: { ...STATUS, devices: ['eth0'] } },
    ['failed devices of the agent: eth0'],
  ],
  [
    'has an agent that lost the API server',
    { status: { ...STATUS, kubernetes: 'Failure' } },
    ['failed API server from the agent: Failure'],
  ],
  [
    'does not reach another node',
    { health: [{ node: 'master', failure: 'connect: no route to host' }] },
    ['failed other nodes: master: connect: no route to host'],
  ],
  [
    'does not know another node',
    { health: [] },
    ['failed other nodes: master: the agent does not know it'],
  ],
  [
    'has an agent that says nothing of VXLAN, of which nobody knows then',
    { status: { ...STATUS, vxlan: undefined } },
    ['unknown VXLAN acceleration in the agent: the agent does not say'],
  ],
  [
    'has an agent that does not answer, which is a failure',
    { status: undefined },
    [
      'unknown state of the agent: the agent does not answer',
      'failed acceleration in the agent: the agent does not answer',
      'failed VXLAN acceleration in the agent: the agent does not answer',
      'unknown agent and kernel on eth1: the agent does not answer',
      'unknown devices of the agent: the agent does not answer',
      'unknown API server from the agent: the agent does not answer',
    ],
  ],
  [
    'has an agent that calls itself broken',
    { status: { ...STATUS, state: 'Failure' } },
    ['failed state of the agent: Failure'],
  ],
  [
    'has an agent that leaves out what it was to say, of which nobody knows then',
    { status: { ...STATUS, acceleration: undefined, devices: undefined, kubernetes: undefined } },
    [
      'unknown acceleration in the agent: the agent does not say',
      'unknown agent and kernel on eth1: the agent does not say',
      'unknown devices of the agent: the agent does not say',
      'unknown API server from the agent: the agent does not say',
    ],
  ],
  [
    'has an agent whose mode no kernel has',
    { status: { ...STATUS, acceleration: 'Best-Effort' } },
    [
      'failed acceleration in the agent: Best-Effort',
      'unknown agent and kernel on eth1: agent Best-Effort, kernel native',
    ],
  ],
  [
    'cannot be asked for the health of others',
    { health: undefined },
    ['unknown other nodes: cilium-health does not say'],
  ],
])('a node is not well when it %s', (_, more, expected) => {
  expect(complaints(more)).toEqual(expected);
});
