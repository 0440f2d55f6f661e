import { describe, expect, test } from 'vitest';
import { problems } from '../../../src/doctor/index.ts';
import { examine } from '../../../src/doctor/examine.ts';
import type { NodeView } from '../../../src/doctor/view.ts';
import { configNode } from '../../support/fake-cluster.ts';
import { machineFacts } from '../../support/machine-facts.ts';
import { madeLink } from '../../support/remains.ts';
import { AGENT_IMAGE, lookFor, view, viewOf } from '../../support/views.ts';
import { digestOf } from '../../support/values.ts';

const LINKS = machineFacts().links;
const XDP = { mode: 'native', program: 'cil_xdp_entry' } as const;
const PIN = '/sys/fs/bpf/cilium/devices/eth1/links/cil_xdp_entry';
const WITH_XDP = machineFacts({
  links: LINKS.map((link) => (link.name === 'eth1' ? { ...link, xdp: XDP } : link)),
});

function tunnel(mtu: number) {
  return machineFacts({
    links: [...LINKS, { ...madeLink('cilium_vxlan'), kind: 'vxlan', mtu }],
  });
}

const TCX = { device: 'eth1', hook: 'tcx/ingress', program: 'cil_from_netdev' };

/** A healthy node with one thing wrong, and what must be said of it. */
const WRONG: readonly (readonly [string, string, Partial<NodeView>, string])[] = [
  [
    'E1',
    'a program without an agent',
    {
      agentRuns: false,
      machine: WITH_XDP,
      pins: [{ device: 'eth1', program: 'cil_xdp_entry', path: PIN }],
    },
    `eth1 has cil_xdp_entry pinned at ${PIN}, no agent runs`,
  ],
  [
    'E2',
    'TCX links without an agent',
    { agentRuns: false, traffic: [{ ...TCX, link: 103 }] },
    'eth1 has cil_from_netdev (tcx/ingress), no agent runs',
  ],
  ['E3', 'a tunnel above its interface', { machine: tunnel(9000) }, 'cilium_vxlan 9000, eth1 1500'],
  [
    'E6',
    'a port without a cable',
    {
      machine: machineFacts({ links: LINKS.map((link) => ({ ...link, carrier: false })) }),
    },
    'eth1 has no carrier',
  ],
  ['E9', 'a device that lost its program', {}, 'eth1 has no XDP program'],
  [
    'E14',
    'a leftover beside Cilium’s own',
    { cniFiles: ['05-cilium.conflist', '10-flannel.conflist'] },
    '10-flannel.conflist beside Cilium’s',
  ],
  [
    'E15',
    'a card of Broadcom',
    { machine: machineFacts({ drivers: new Map([['eth1', 'tg3']]) }) },
    'eth1 is tg3',
  ],
  [
    'K2',
    'an image in the other containerd',
    { otherImages: [AGENT_IMAGE], images: [] },
    AGENT_IMAGE,
  ],
  [
    'K3',
    'a name that moved on',
    { images: [{ id: digestOf('newer'), names: [AGENT_IMAGE], pinned: true, size: 1 }] },
    `cilium-1 runs an earlier ${AGENT_IMAGE}`,
  ],
  [
    'N1',
    'an image without its pin',
    { images: [{ id: digestOf('agent'), names: [AGENT_IMAGE], pinned: false, size: 1 }] },
    AGENT_IMAGE,
  ],
  ['N2', 'an image that was collected', { images: [] }, AGENT_IMAGE],
  ['N3', 'a disk that is nearly full', { diskUse: 83 }, '83 % in use, images go at 85 %'],
  [
    'N4',
    'a mount over the bpffs',
    { machine: machineFacts({ bpfMounts: ['/sys/fs/bpf', '/sys/fs/bpf'] }) },
    '/sys/fs/bpf is mounted 2 times',
  ],
  [
    'N4',
    'a node without bpffs',
    { machine: machineFacts({ bpfMounts: [] }) },
    '/sys/fs/bpf is not mounted',
  ],
  [
    'N5',
    'a program that is there twice',
    {
      traffic: [
        { ...TCX, link: 103 },
        { ...TCX, link: 155 },
      ],
    },
    'eth1 tcx/ingress cil_from_netdev: link 103 beside a newer one',
  ],
  [
    'N8',
    'a certificate that ends soon',
    { certificates: [{ subject: 'CN=kubelet', expires: new Date('2026-06-11T00:00:00Z') }] },
    'CN=kubelet has 10 days',
  ],
  ['N9', 'a clock that is behind', { machine: machineFacts({ clockAhead: -90 }) }, '90 s behind'],
];

describe('a node with', () => {
  test.each(
    WRONG.map(([id, what, change, proof]) => ({ title: `${id}: ${what}`, id, change, proof })),
  )('$title is found, with the proof and something to do', ({ id, change, proof }) => {
    const finding = lookFor(id, viewOf(change));
    expect(finding).toMatchObject({ state: 'found', where: 'worker' });
    expect(finding.proof).toContain(proof);
    expect(finding.fix?.actions.length).toBeGreaterThan(0);
  });
});

test('K3: a pod that runs what its node has, by the manifest that it was pulled by, is well', () => {
  const now = { names: [AGENT_IMAGE], digests: [digestOf('agent')], pinned: true, size: 1 };
  const images = [{ id: digestOf('its config'), ...now }];
  expect(lookFor('K3', viewOf({ images })).state).toBe('ok');
});

/** What nobody could ask for. */
const SILENT: readonly (readonly [string, string, Partial<NodeView>])[] = [
  ['E2', 'bpftool is too old', { agentRuns: false, traffic: undefined }],
  ['N5', 'bpftool is missing', { traffic: undefined }],
  ['E6', 'the config names no device', { node: configNode('worker') }],
  ['E15', 'ethtool names no driver', { machine: machineFacts({ drivers: new Map() }) }],
  ['K3', 'containerd is silent', { images: undefined }],
  ['N1', 'containerd is 1.6', { machine: machineFacts({ containerd: '1.6.20' }) }],
  ['N2', 'containerd does not answer', { images: undefined }],
  ['N3', 'df says nothing', { diskUse: undefined }],
  ['N8', 'no certificate is there', { certificates: [] }],
];

describe('nothing is called ok', () => {
  test.each(SILENT.map(([id, why, change]) => ({ title: `${id}: when ${why}`, id, change })))(
    '$title',
    ({ id, change }) => {
      expect(lookFor(id, viewOf(change)).state).toBe('unknown');
    },
  );

  test('of a node that cannot be reached', () => {
    const unseen = new Map([['worker', 'worker: no route to host']]);
    const findings = examine(view({ nodes: [], unseen }), problems);
    const own = findings.filter(({ where }) => where === 'worker');
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter(({ state }) => state !== 'unknown')).toEqual([]);
  });
});

test('a healthy node has none of the problems', () => {
  const findings = examine(viewOf({ machine: WITH_XDP }), problems);
  expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
});
