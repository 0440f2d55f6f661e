import { describe, expect, test } from 'vitest';
import type { Check } from '../../../src/core/check.ts';
import { checkNode, type Found } from '../../../src/deploy/validate.ts';
import { wantedOn } from '../../../src/deploy/wanted.ts';
import { agent, container } from '../../support/fake-cluster.ts';
import {
  AGENT,
  complaints,
  FOUND,
  INSTALLED,
  LINKS,
  NATIVE,
  NODES,
  OPERATOR,
  WANTED,
} from '../../support/valid-node.ts';
import { digestOf } from '../../support/values.ts';

describe('what a node must come to', () => {
  test('follows the live configuration, the node’s devices and the shipped images', () => {
    expect(WANTED).toEqual({
      name: 'k-worker',
      agentImage: AGENT?.config.digest,
      operatorImage: OPERATOR?.config.digest,
      accelerated: true,
      devices: ['eth1'],
      mtu: 1400,
      tunnel: 'cilium_vxlan',
      acceleration: 'native',
      vxlanAcceleration: true,
      envoy: true,
      peers: ['master'],
    });
  });

  test('leaves the others out when agents are told not to ask each other', () => {
    const config = { ...NATIVE, 'enable-health-checking': 'false' };
    expect(wantedOn('k-worker', NODES, { ...INSTALLED, config }).peers).toEqual([]);
  });

  test('is little when nothing is configured', () => {
    const nothing = { agent: undefined, operator: undefined };
    const bare = { config: { mtu: '0' }, shipped: nothing, envoy: false, answering: [] };
    expect(wantedOn('k-worker', NODES, bare)).toEqual({
      name: 'k-worker',
      agentImage: undefined,
      operatorImage: undefined,
      accelerated: false,
      devices: [],
      mtu: undefined,
      tunnel: 'cilium_vxlan',
      acceleration: 'disabled',
      vxlanAcceleration: false,
      envoy: false,
      peers: [],
    });
  });
});

describe('a node', () => {
  /** Checks of MTUs on a node without `cilium_vxlan`, as `id: state found`. */
  const mtus = (config: Record<string, string>, links: Found['links']): readonly string[] => {
    const wanted = wantedOn('k-worker', NODES, { ...INSTALLED, config: { ...NATIVE, ...config } });
    return checkNode(wanted, { ...FOUND, links })
      .filter(({ id = '' }) => id.endsWith('-mtu'))
      .map(({ id, state, found }) => `${id}: ${state} ${found}`);
  };
  const geneve = LINKS.flatMap((link) =>
    link.name === 'cilium_vxlan' ? [{ ...link, name: 'cilium_geneve' }] : [],
  );

  test('has no tunnel where packets are routed as they are, and nobody asks for one', () => {
    expect(mtus({ 'routing-mode': 'native', 'tunnel-protocol': 'vxlan' }, [])).toEqual([
      'route-mtu: ok 1350 to 10.42.1.0/24',
    ]);
  });

  test('has the tunnel of its protocol', () => {
    const config = { 'routing-mode': 'tunnel', 'tunnel-protocol': 'geneve' };
    const routes = 'route-mtu: ok 1350 to 10.42.1.0/24';
    expect(mtus(config, geneve)).toEqual(['geneve-mtu: ok 1400', routes]);
    expect(mtus(config, LINKS)).toEqual(['geneve-mtu: failed no such interface', routes]);
    expect(mtus({ 'routing-mode': '', 'tunnel-protocol': '' }, LINKS)[0]).toBe(
      'vxlan-mtu: ok 1400',
    );
  });

  test('whose interface nobody names is unknown, and not well', () => {
    const unnamed = checkNode({ ...WANTED, devices: [] }, FOUND);
    expect(unnamed.find(({ check }) => check === 'XDP')).toMatchObject({
      state: 'unknown',
      remedy: expect.stringContaining('dataInterface') as string,
    });
  });

  test('is well when all that was asked for was found on it', () => {
    expect(complaints({})).toEqual([]);
    expect(checkNode(WANTED, FOUND)).toHaveLength(15);
    expect(new Set(checkNode(WANTED, FOUND).map(({ id }) => id)).size).toBe(15);
  });

  const xdp = (mode: 'generic' | undefined): Found['links'] =>
    LINKS.map((link) => ({ ...link, xdp: mode && { mode, program: 'cil_xdp_entry' } }));
  const waiting = container({ imageId: undefined, waiting: 'CrashLoopBackOff' });

  test.each<[string, Partial<Found>, readonly string[]]>([
    [
      'has no agent',
      { agent: undefined },
      ['failed agent image: nothing', 'failed agent ready: there is no pod'],
    ],
    [
      'has an agent that crashes',
      { agent: agent('cilium-1', { ready: false, containers: [waiting] }) },
      [
        'failed agent image: nothing',
        'failed agent ready: cilium-1: cilium-agent: CrashLoopBackOff',
      ],
    ],
    [
      'runs another image',
      { agent: agent('cilium-1') },
      [`failed agent image: ${digestOf('agent').slice(7, 19)}`],
    ],
    [
      'has XDP in generic mode',
      { links: xdp('generic') },
      [
        'failed XDP on eth1: generic (cil_xdp_entry)',
        'failed agent and kernel on eth1: agent native, kernel generic',
      ],
    ],
    [
      'has no XDP',
      { links: xdp(undefined) },
      [
        'failed XDP on eth1: no XDP program',
        'failed agent and kernel on eth1: agent native, kernel none',
      ],
    ],
    [
      'has neither device nor tunnel',
      { links: [] },
      [
        'failed XDP on eth1: no such interface',
        'failed MTU of cilium_vxlan: no such interface',
        'failed agent and kernel on eth1: agent native, kernel none',
      ],
    ],
    [
      'has a tunnel of another MTU',
      { links: LINKS.map((link) => ({ ...link, mtu: 1450 })) },
      ['failed MTU of cilium_vxlan: 1450'],
    ],
    [
      'has routes larger than the tunnel takes',
      { routes: [{ to: '10.42.1.0/24', device: 'cilium_host', mtu: 1450 }] },
      ['failed MTU of pod routes: 1450 to 10.42.1.0/24'],
    ],
    [
      'has large routes that are no business of Cilium',
      { routes: [{ to: 'default', device: 'eth0', mtu: 9000 }] },
      [],
    ],
    [
      'has a program twice at a hook',
      { traffic: [...(FOUND.traffic ?? []), ...(FOUND.traffic ?? [])] },
      ['failed one program at each hook: cil_from_netdev at tcx/ingress of eth1'],
    ],
    [
      'has no bpftool, so that nobody knows of hooks',
      { traffic: undefined },
      ['unknown one program at each hook: bpftool does not say'],
    ],
    [
      'has an envoy that is not there',
      { envoy: undefined },
      ['failed envoy ready: there is no pod'],
    ],
    [
      'has a pod that gets no network, and another node’s is no matter here',
      {
        stuck: [
          { namespace: 'shop', name: 'web-1', node: 'k-worker', why: 'no CNI' },
          { namespace: 'shop', name: 'web-2', node: 'master', why: 'no CNI' },
        ],
      },
      ['failed pods get a network: shop/web-1: no CNI'],
    ],
    [
      'may not be asked for its pods',
      { stuck: undefined },
      ['unknown pods get a network: not every pod could be looked at'],
    ],
  ])('is not well when it %s', (_, more, expected) => {
    expect(complaints(more)).toEqual(expected);
  });

  test('is told what to do about every complaint, and about nothing else', () => {
    const bad = { links: [], status: undefined, health: [], envoy: undefined, stuck: undefined };
    const worse = { ...bad, health: undefined };
    const checks: readonly Check[] = [bad, worse].flatMap((more) =>
      checkNode(WANTED, { ...FOUND, ...more }),
    );
    for (const { state, remedy } of checks) expect(remedy === undefined).toBe(state === 'ok');
  });
});
