import { expect, test } from 'vitest';
import { parseRouteMtus } from '../../../src/facts/routes.ts';

test('routes with an MTU of their own are found among all others', () => {
  const text = JSON.stringify([
    { dst: 'default', gateway: '10.4.0.1', dev: 'eth0', flags: [] },
    { dst: '10.42.1.0/24', dev: 'cilium_host', metrics: [{ mtu: 1350 }], flags: [] },
    { type: 'local', dst: '127.0.0.1', dev: 'lo', metrics: [{ advmss: 1 }] },
  ]);
  expect(parseRouteMtus(text)).toEqual([{ to: '10.42.1.0/24', device: 'cilium_host', mtu: 1350 }]);
  expect(parseRouteMtus('')).toBeUndefined();
});
