import { describe, expect, test } from 'vitest';
import { hardenRefusal } from '../../../src/cluster/harden-guard.ts';
import { refusal as resetRefusal } from '../../../src/cluster/reset/guard.ts';
import { refusal as fixRefusal } from '../../../src/doctor/guard.ts';
import { parseLinks, type Link } from '../../../src/facts/links.ts';
import { sessionOn } from '../../../src/facts/session-links.ts';
import { configNode } from '../../support/fake-cluster.ts';
import { machineFacts } from '../../support/machine-facts.ts';
import { link } from '../../support/machines.ts';
import { bareRemains } from '../../support/remains.ts';
import { nodeView } from '../../support/views.ts';

const XDP = { mode: 'native', program: 'cil_xdp_entry' } as const;
const card = (name: string, change: Partial<Link> = {}): Link =>
  link(name, '192.0.2.9/24', { addresses: [], xdp: XDP, ...change });

/** Ways of a session to eth0, and the interface that has its address. */
const WAYS: readonly (readonly [string, string, readonly Link[]])[] = [
  ['a VLAN', 'eth0.100', [card('eth0'), card('eth0.100', { kind: 'vlan', parent: 'eth0' })]],
  ['a bond', 'bond0', [card('eth0', { master: 'bond0' }), card('bond0', { kind: 'bond' })]],
  ['a bridge', 'br0', [card('eth0', { master: 'br0' }), card('br0', { kind: 'bridge' })]],
  [
    'a VLAN on a bond in a bridge',
    'br0',
    [
      card('eth0', { master: 'bond0' }),
      card('bond0', { kind: 'bond' }),
      card('bond0.7', { kind: 'vlan', parent: 'bond0', master: 'br0' }),
      card('br0', { kind: 'bridge' }),
    ],
  ],
];
const SAID = 'eth0 carries our own SSH session on ';

describe('D21, F47: a session by', () => {
  test.each(WAYS)('%s keeps harden from its card', (_, sshInterface, links) => {
    const facts = machineFacts({ links, sshInterface, tools: new Set(['ethtool']) });
    const node = configNode('worker', { devices: ['eth0'] });
    expect(hardenRefusal(node, facts, false)?.message).toContain(SAID + sshInterface);
  });

  test.each(WAYS)('%s keeps doctor --fix from its card', (_, sshInterface, links) => {
    const health = {
      ...nodeView(),
      agentRuns: false,
      machine: machineFacts({ links, sshInterface }),
    };
    const fix = { consent: 'safe', actions: [], device: 'eth0' } as const;
    const finding = { id: 'E1', where: 'worker', state: 'found', proof: '', fix } as const;
    expect(fixRefusal(finding, health, [])?.message).toContain(SAID + sshInterface);
  });

  test.each(WAYS)('%s keeps reset from its card', (_, sshInterface, links) => {
    const no = resetRefusal(bareRemains({ links, sshInterface }));
    expect(no?.message).toContain(`carries our own SSH session on ${sshInterface}`);
  });

  test('a card does not keep anybody from another card, nor from a VLAN of it', () => {
    const links = [card('eth0'), card('eth0.100', { parent: 'eth0' }), card('eth1')];
    expect(sessionOn('eth1', links, 'eth0')).toBeUndefined();
    expect(sessionOn('eth0.100', links, 'eth0')).toBeUndefined();
  });
});

test('ip says what an interface stands on and is a port of; the other end of a veth is neither', () => {
  const text = JSON.stringify([
    { ifname: 'eth0', master: 'bond0', linkinfo: { info_slave_kind: 'bond' } },
    { ifname: 'eth0.100', link: 'eth0', linkinfo: { info_kind: 'vlan' } },
    { ifname: 'flannel.1', linkinfo: { info_kind: 'vxlan', info_data: { link: 'eth0' } } },
    { ifname: 'veth0', link: 'veth1', linkinfo: { info_kind: 'veth' } },
  ]);
  expect(parseLinks(text).map(({ parent, master }) => [parent, master])).toEqual([
    [undefined, 'bond0'],
    ['eth0', undefined],
    ['eth0', undefined],
    [undefined, undefined],
  ]);
});
