import { expect, test } from 'vitest';
import { tracesOf } from '../../../src/facts/leftovers.ts';
import { isMade, type Link } from '../../../src/facts/links.ts';
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
