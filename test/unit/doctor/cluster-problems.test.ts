import { describe, expect, test } from 'vitest';
import type { ClusterView, PodView, View } from '../../../src/doctor/view.ts';
import { madeLink } from '../../support/remains.ts';
import {
  AGENT_IMAGE,
  clusterView,
  lookFor,
  nodeView,
  operatorView,
  podView,
  values,
  view,
} from '../../support/views.ts';

const DEAD = { name: 'v1beta1.metrics.k8s.io', available: false, reason: 'MissingEndpoints' };
const STUCK = {
  name: 'cilium-secrets',
  terminating: true,
  stuck: 'Discovery failed for some groups: metrics.k8s.io/v1beta1: stale GroupVersion discovery',
};

function stopped(waiting: string): PodView {
  const own = operatorView({ ready: false });
  return { ...own, containers: own.containers.map((container) => ({ ...container, waiting })) };
}

const WRONG: readonly (readonly [string, string, Partial<ClusterView>, string])[] = [
  [
    'E5',
    'an operator that waits for its image',
    { pods: [stopped('ErrImageNeverPull')] },
    'cilium-operator-1 on worker: ErrImageNeverPull',
  ],
  [
    'E5',
    'an operator that no node takes',
    { pods: [operatorView({ ready: false, node: undefined })] },
    'cilium-operator-1 finds no node',
  ],
  [
    'E7',
    'a namespace behind a dead API service',
    { namespaces: [STUCK], apiServices: [DEAD] },
    'not available: v1beta1.metrics.k8s.io',
  ],
  [
    'E8',
    'an upgrade that was killed',
    {
      revisions: [
        { revision: 4, status: 'superseded' },
        { revision: 5, status: 'pending-upgrade' },
      ],
    },
    'revision 5 is pending-upgrade',
  ],
  [
    'E13',
    'an operator of another version',
    {
      pods: [stopped('CrashLoopBackOff')],
      operatorLog: [
        'option unmanaged-pod-watcher-interval: unable to cast "15s" of type string to int64',
      ],
    },
    'unable to cast "15s"',
  ],
  [
    'E18',
    'a pool that holds the nodes',
    { config: { 'cluster-pool-ipv4-cidr': '10.0.0.0/8' } },
    '10.0.0.0/8 and 10.111.100.2/16 of eth1',
  ],
  [
    'K1',
    'a pod that waits for an image',
    {
      pods: [
        podView('cilium-1', {
          ready: false,
          containers: [{ name: 'cilium-agent', image: AGENT_IMAGE, waiting: 'ErrImageNeverPull' }],
        }),
      ],
    },
    `cilium-1: ErrImageNeverPull ${AGENT_IMAGE}`,
  ],
  [
    'K4',
    'an operator from upstream',
    {
      pods: [
        operatorView({
          containers: [
            { name: 'cilium-operator', image: 'quay.io/cilium/operator-generic:v1.19.1' },
          ],
        }),
      ],
    },
    'operator-generic:v1.19.1',
  ],
  ['N6', 'an API service that answers nobody', { apiServices: [DEAD] }, 'MissingEndpoints'],
  ['E14', 'no Cilium and its configuration', { config: undefined }, 'no Cilium in the cluster'],
];

describe('a cluster with', () => {
  test.each(
    WRONG.map(([id, what, change, proof]) => ({ title: `${id}: ${what}`, id, change, proof })),
  )('$title is found, with the proof and something to do', ({ id, change, proof }) => {
    const seen = view({ cluster: clusterView(change) });
    const nodes = seen.nodes.map((node) => ({ ...node, agentRuns: change.config !== undefined }));
    const finding = lookFor(id, { ...seen, nodes });
    expect(finding.state).toBe('found');
    expect(finding.proof).toContain(proof);
    expect(finding.fix?.actions.length).toBeGreaterThan(0);
  });

  test.each(['E5', 'E7', 'E8', 'E13', 'K1', 'K3', 'K4', 'N2', 'N6'])(
    '%s: no answer is unknown',
    (id) => {
      expect(lookFor(id, view({ cluster: undefined })).state).toBe('unknown');
    },
  );

  test('E7: a namespace that only ends is not stuck', () => {
    const cluster = clusterView({ namespaces: [{ ...STUCK, stuck: '' }] });
    expect(lookFor('E7', view({ cluster })).state).toBe('ok');
  });

  test('E8: an uninstall that broke off is ended, not rolled back', () => {
    const revisions = [{ revision: 5, status: 'uninstalling' }];
    const { fix } = lookFor('E8', view({ cluster: clusterView({ revisions }) }));
    expect(fix?.actions[0]?.argv.join(' ')).toBe('helm uninstall cilium -n kube-system');
  });

  test('E8: a killed upgrade goes back to the last revision that was deployed', () => {
    const revisions = [
      { revision: 3, status: 'superseded' },
      { revision: 4, status: 'failed' },
      { revision: 5, status: 'pending-rollback' },
    ];
    const { fix } = lookFor('E8', view({ cluster: clusterView({ revisions }) }));
    expect(fix?.actions[0]?.argv.join(' ')).toBe('helm rollback cilium 3 -n kube-system');
  });
});

/** Values of the user, and what must be said of them when there is no cluster yet. */
const SETTINGS: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ['E4', { mtu: '1400' }, 'the values set mtu: 1400, which is ignored'],
  ['E10', { devices: '40:a6:b7:41:09:60' }, 'devices: 40:a6:b7:41:09:60'],
  ['E11', { devices: 'eth0 10.4.100.0/16' }, 'devices: 10.4.100.0/16'],
  ['E12', { k8sServiceHost: '127.0.0.1' }, '127.0.0.1:6443 leads nowhere on worker'],
  ['E16', { 'loadBalancer.acceleration': 'generic' }, 'generic'],
  ['E17', { tunnel: 'disabled' }, 'tunnel: disabled'],
];

describe('values with', () => {
  test.each(SETTINGS.map(([id, set, proof]) => ({ title: `${id}: ${proof}`, id, set, proof })))(
    '$title are found before a cluster is there',
    ({ id, set, proof }) => {
      const finding = lookFor(id, view({ cluster: undefined, value: values(set) }));
      expect(finding).toMatchObject({ state: 'found', where: 'settings', proof });
    },
  );

  test('E12: the port of K3s’s own load balancer leads everywhere', () => {
    const value = values({ k8sServiceHost: '127.0.0.1', k8sServicePort: '6444' });
    expect(lookFor('E12', view({ value })).state).toBe('ok');
  });

  test('E4: a tunnel that does not have what agents were given is found', () => {
    const seen = view();
    const nodes = seen.nodes.map((node) => ({
      ...node,
      machine: { ...node.machine, links: [madeLink('cilium_vxlan')] },
    }));
    const { proof } = lookFor('E4', { ...seen, nodes });
    expect(proof).toBe('1400 is set, cilium_vxlan has 1500 on worker');
  });

  test('neither values nor a cluster are unknown', () => {
    const seen: View = view({ cluster: undefined, value: undefined });
    expect(lookFor('E16', seen).state).toBe('unknown');
  });
});

describe('versions', () => {
  test('N7: of chart and tree that differ are found', () => {
    const versions = { chart: '1.19.1', tree: '1.18.6' };
    expect(lookFor('N7', view({ versions })).proof).toBe('chart 1.19.1, tree 1.18.6');
  });

  test('N7: of which one is not known are unknown', () => {
    expect(lookFor('N7', view({ versions: { chart: '1.19.1' } })).state).toBe('unknown');
  });
});

describe('E14: with cni.exclusive: false', () => {
  const cluster = clusterView({ config: { 'cni-exclusive': 'false' } });
  const look = (...cniFiles: readonly string[]) =>
    lookFor('E14', view({ cluster, nodes: [nodeView({ cniFiles })] }));

  test('a file of Multus is as it should be', () => {
    expect(look('00-multus.conf', '05-cilium.conflist')).toMatchObject({ state: 'ok' });
  });

  test('one that Flannel wrote may be wanted or left, and nothing is done about it', () => {
    const seen = look('05-cilium.conflist', '10-flannel.conflist');
    expect(seen).toMatchObject({ state: 'unknown', proof: expect.stringContaining('10-flannel') });
    expect(seen.fix).toBeUndefined();
  });
});
