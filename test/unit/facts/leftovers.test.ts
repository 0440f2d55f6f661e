import { expect, test } from 'vitest';
import { tracesOf } from '../../../src/facts/leftovers.ts';
import type { Link } from '../../../src/facts/links.ts';
import { isMade, isOfPods, makerOf } from '../../../src/facts/made-links.ts';
import { link } from '../../support/machines.ts';

const named = (name: string): Link => link(name, '192.0.2.1/24');

test.each(['cilium_vxlan', 'lxc_health', 'lxc00aa11bb22cc'])('%s is a trace of Cilium', (name) => {
  expect(tracesOf([named(name)], [], [])).toEqual([{ cni: 'cilium', what: name }]);
  expect(isMade(name)).toBe(true);
});

test('the bridge of LXC is nobody’s trace, and may be named in a config', () => {
  expect(tracesOf([named('lxcbr0')], [], [])).toEqual([]);
  expect(isMade('lxcbr0')).toBe(false);
});

test.each([
  ['flannel.1', 'flannel'],
  ['cni0', 'flannel'],
  ['antrea-gw0', 'antrea'],
  ['genev_sys_6081', 'antrea'],
])('%s is a trace of %s', (name, cni) => {
  expect(tracesOf([named(name)], [], [])).toEqual([{ cni, what: name }]);
});

test('kube-proxy’s interface goes with a reset and is no trace of a CNI', () => {
  expect(makerOf('kube-ipvs0')).toBe('kube-proxy');
  expect(tracesOf([named('kube-ipvs0')], [], [])).toEqual([]);
});

test('the bridge of Docker is not for a config, but its network is one of the node', () => {
  expect(isMade('docker0')).toBe(true);
  expect(isOfPods('docker0')).toBe(false);
});
