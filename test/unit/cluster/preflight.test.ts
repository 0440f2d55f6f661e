import { describe, expect, test } from 'vitest';
import { judgeFleet, judgeMachine } from '../../../src/cluster/preflight.ts';
import type { Node } from '../../../src/core/node.ts';
import type { NodeFacts } from '../../../src/facts/node-facts.ts';
import { machineFacts } from '../../support/machine-facts.ts';

const WORKER: Node = {
  name: 'worker',
  ssh: 'worker',
  role: 'agent',
  dataInterface: 'eth1',
  dataAddress: '10.111.100.2/16',
  devices: ['eth1'],
};

const FACTS = machineFacts();

function found(change: Partial<NodeFacts>, node: Node = WORKER): readonly string[] {
  return judgeMachine(node, { ...FACTS, ...change })
    .filter(({ state }) => state !== 'ok')
    .map((check) => `${check.state}: ${check.check}: ${check.found}`);
}

describe('a machine', () => {
  test('of the lab has nothing in the way', () => {
    expect(found({})).toEqual([]);
  });

  test.each<readonly [string, Partial<NodeFacts>, string]>([
    ['with an old kernel', { os: { name: 'x', kernel: '5.4.0-150' } }, 'kernel: 5.4.0-150'],
    ['without bpffs', { bpfMounts: [] }, 'bpffs: not mounted'],
    ['with a mount over its bpffs', { bpfMounts: ['/sys/fs/bpf', '/sys/fs/bpf'] }, '2 times'],
    ['whose clock is behind', { clockAhead: -90 }, 'clock: 90 s behind'],
    ['with a full disk', { free: 1e9 }, 'disk: 1.0 GB free'],
    ['without tar', { tools: new Set(['ip', 'iptables', 'sha256sum']) }, 'tools: no tar'],
    ['E15: whose driver has no native XDP', { drivers: new Map([['eth1', 'tg3']]) }, 'tg3'],
    ['whose driver nobody knows', { drivers: new Map() }, 'unknown: native XDP on eth1'],
  ])('%s is told so', (_title, change, said) => {
    const open = found(change);
    expect(open).toHaveLength(1);
    expect(open[0]).toContain(said);
  });

  test('E6: whose port has no carrier is told so', () => {
    const links = FACTS.links.map((link) => ({ ...link, carrier: link.name !== 'eth1' }));
    expect(found({ links })).toEqual(['failed: link eth1: no carrier (E6)']);
  });

  test('E14: with traces of two CNIs is told what to remove', () => {
    const traces = [
      { cni: 'cilium', what: 'cilium_vxlan' },
      { cni: 'flannel', what: '/etc/cni/net.d/10-flannel.conflist' },
    ];
    const checks = judgeMachine(WORKER, { ...FACTS, traces });
    const check = checks.find(({ state }) => state !== 'ok');
    expect(check?.found).toBe('cilium, flannel');
    expect(check?.remedy).toContain('/etc/cni/net.d/10-flannel.conflist');
  });

  test('that lacks the interface of the config is told which it has', () => {
    const checks = judgeMachine({ ...WORKER, dataInterface: 'eth7' }, FACTS);
    const link = checks.find(({ check }) => check === 'link eth7');
    expect(link?.found).toBe('no such interface');
    expect(link?.remedy).toContain('em2');
    expect(link?.remedy).toContain('eth1');
  });
});

describe('machines together', () => {
  test('run one version of K3s', () => {
    expect(judgeFleet([FACTS, { ...FACTS, node: 'master' }]).map(({ state }) => state)).toEqual([
      'ok',
    ]);
    const [mixed] = judgeFleet([FACTS, { ...FACTS, k3s: 'v1.33.1+k3s1' }]);
    expect(mixed).toMatchObject({ state: 'failed', found: 'v1.34.4+k3s1, v1.33.1+k3s1' });
  });

  test('without K3s are not judged by it', () => {
    expect(judgeFleet([{ ...FACTS, k3s: undefined }])).toEqual([]);
  });
});
