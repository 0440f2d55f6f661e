import { describe, expect, test } from 'vitest';
import type { Node } from '../../../src/core/node.ts';
import { checkSurroundings, type Surroundings } from '../../../src/deploy/value-surroundings.ts';
import type { Values } from '../../../src/deploy/tree.ts';
import { parseLinks } from '../../../src/facts/links.ts';
import { machineFacts } from '../../support/machine-facts.ts';

const WORKER: Node = {
  name: 'worker',
  ssh: 'worker',
  role: 'agent',
  dataInterface: 'eth1',
  dataAddress: '10.111.100.2/16',
  devices: ['eth1'],
};

const AROUND: Surroundings = {
  nodes: [WORKER],
  facts: new Map([['worker', machineFacts()]]),
  serviceCidr: '10.43.0.0/16',
  chartVersion: '1.19.0-dev',
  operatorVersion: '1.19.0-dev',
  apiReached: new Map([['worker', 'open']]),
};

const VALUES: Values = {
  MTU: 1400,
  kubeProxyReplacement: true,
  loadBalancer: { acceleration: 'native' },
  ipam: { mode: 'cluster-pool', operator: { clusterPoolIPv4PodCIDRList: ['10.42.0.0/16'] } },
};

function problems(values: Values, around: Partial<Surroundings> = {}): readonly string[] {
  return checkSurroundings({ ...VALUES, ...values }, { ...AROUND, ...around }).map(
    ({ severity, path, message }) => `${severity}: ${path}: ${message}`,
  );
}

describe('values that fit', () => {
  test('are left alone', () => {
    expect(problems({})).toEqual([]);
  });
});

describe('values that do not fit the machines', () => {
  test.each<readonly [string, Values, Partial<Surroundings>, string]>([
    [
      'E18: the chart’s own pool over a node network',
      { ipam: { operator: { clusterPoolIPv4PodCIDRList: ['10.0.0.0/8'] } } },
      { serviceCidr: '172.30.0.0/16' },
      'worker’s network 10.111.100.2/16',
    ],
    [
      'E18: pods over services',
      { ipam: { operator: { clusterPoolIPv4PodCIDRList: '10.43.0.0/16' } } },
      {},
      'the service network',
    ],
    ['E3: an MTU larger than the interface’s', { MTU: 9000 }, {}, '1500 of eth1'],
    [
      'E12: an API server that refuses',
      { k8sServiceHost: '127.0.0.1' },
      { apiReached: new Map([['worker', 'refused']]) },
      'error: k8sServiceHost: 127.0.0.1 refuses connections from worker (E12)',
    ],
    [
      'E12: an API server that is silent',
      { k8sServiceHost: '10.111.100.1' },
      { apiReached: new Map([['worker', 'unknown']]) },
      'warning: k8sServiceHost',
    ],
    ['E13: an operator of another version', {}, { operatorVersion: '1.18.12' }, 'the chart 1.19.0'],
    [
      'E15: a device whose driver has no native XDP',
      {},
      { facts: new Map([['worker', machineFacts({ drivers: new Map([['eth1', 'tg3']]) })]]) },
      'error: nodes.worker.devices: eth1 of worker has driver tg3',
    ],
    [
      'E15: the same with best-effort',
      { loadBalancer: { acceleration: 'best-effort' } },
      { facts: new Map([['worker', machineFacts({ drivers: new Map([['eth1', 'tg3']]) })]]) },
      'warning: nodes.worker.devices',
    ],
    [
      'E6: a device without carrier',
      {},
      {
        facts: new Map([
          ['worker', machineFacts({ links: parseLinks('[{"ifname":"eth1","mtu":1500}]') })],
        ]),
      },
      'no carrier (E6)',
    ],
    [
      'a device that a node lacks',
      { devices: 'eth9' },
      { nodes: [{ ...WORKER, devices: [] }] },
      'error: devices: worker has no interface eth9',
    ],
    [
      'a cgroup root that is none',
      { cgroup: { autoMount: { enabled: false }, hostRoot: '/sys/fs/cgroup' } },
      { facts: new Map([['worker', machineFacts({ cgroup: 'tmpfs' })]]) },
      'warning: cgroup.hostRoot',
    ],
    [
      'kube-proxy beside its replacement',
      {},
      { facts: new Map([['worker', machineFacts({ kubeProxy: true })]]) },
      '--disable-kube-proxy',
    ],
    [
      'fewer queues than the interface has',
      { vxlanAcceleration: { queues: 1 } },
      {},
      'note: vxlanAcceleration.queues',
    ],
  ])('%s is said once', (_title, values, around, said) => {
    const found = problems(values, around);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(said);
  });

  test('pools of another mode are nobody’s business', () => {
    const ipam = { mode: 'kubernetes', operator: { clusterPoolIPv4PodCIDRList: ['10.0.0.0/8'] } };
    expect(problems({ ipam })).toEqual([]);
  });
});
