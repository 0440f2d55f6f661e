import { describe, expect, test } from 'vitest';
import { parseAgentStatus } from '../../../src/deploy/agent-status.ts';

describe('the status of an agent', () => {
  test('tells its state and both accelerations', () => {
    const text = JSON.stringify({
      cilium: { state: 'Ok', msg: '1.19.0-dev' },
      kubernetes: { state: 'Failure', msg: 'no answer' },
      'kube-proxy-replacement': {
        mode: 'True',
        deviceList: [{ name: 'eth0', ip: ['10.4.100.1'] }],
        features: { nodePort: { acceleration: 'Native', mode: 'SNAT' } },
      },
      'vxlan-acceleration': { state: 'Active', devices: ['eth0'], queues: 1 },
    });
    expect(parseAgentStatus(text)).toEqual({
      state: 'Ok',
      acceleration: 'Native',
      vxlan: 'Active',
      devices: ['eth0'],
      kubernetes: 'Failure',
    });
  });

  test('of a stock agent says nothing of VXLAN', () => {
    const text = '{"cilium":{"state":"Ok"},"kube-proxy-replacement":{"mode":"False"}}';
    expect(parseAgentStatus(text)).toEqual({ state: 'Ok' });
  });

  test.each([
    ['no JSON', 'Error: cannot connect'],
    ['a status of something else', '{"ipam":{}}'],
  ])('is none when it prints %s', (_, text) => {
    expect(parseAgentStatus(text)).toBeUndefined();
  });
});
