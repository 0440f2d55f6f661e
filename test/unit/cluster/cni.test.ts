import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fitFlannel } from '../../../src/cluster/cni/flannel.ts';
import { requireNoOthers, requirePodNetwork } from '../../../src/cluster/cni/leftovers.ts';
import { parseManifest, withShippedImages } from '../../../src/cluster/cni/manifest.ts';
import { pauseImage } from '../../../src/cluster/cni/probe.ts';
import { cniOfFleet, judgeCni, type CniOnNode } from '../../../src/cluster/cni/status.ts';
import { parseCniConfig } from '../../../src/facts/cni-config.ts';
import { parseNetns } from '../../../src/facts/netns.ts';
import { stockValues } from '../../../src/deploy/stock-values.ts';
import { machineFacts as machine } from '../../support/machine-facts.ts';

const MASTER = {
  name: 'master',
  ssh: 'master',
  role: 'server',
  dataInterface: 'eth0',
  dataAddress: '10.4.100.1/16',
  devices: ['eth0'],
} as const;
const WORKER = {
  ...MASTER,
  name: 'worker',
  ssh: 'worker',
  role: 'agent',
  dataAddress: '10.4.100.2/16',
  dataInterface: 'eth1',
  devices: ['eth1'],
} as const;

const FLANNEL = readFileSync(
  new URL('../../../lab/flannel/kube-flannel.yml', import.meta.url),
  'utf8',
);

describe('the manifest of Flannel', () => {
  const objects = parseManifest(FLANNEL, 'kube-flannel.yml');

  it('is applied with its namespace first and its agents last', () => {
    expect(objects.at(0)?.kind).toBe('Namespace');
    expect(objects.at(-1)?.kind).toBe('DaemonSet');
  });

  it('gets the pod network of the cluster and the address of each data interface', () => {
    const text = JSON.stringify(fitFlannel(objects, '10.42.0.0/16', [MASTER, WORKER]));
    expect(text).toContain('10.42.0.0/16');
    expect(text).not.toContain('10.244.0.0/16');
    expect(text).toContain('"--iface=10.4.100.1","--iface=10.4.100.2"');
  });

  it('is refused when it is that of something else', () => {
    const others = objects.filter(({ kind }) => kind !== 'ConfigMap');
    expect(() => fitFlannel(others, '10.42.0.0/16', [MASTER])).toThrow(
      /not the manifest of Flannel/,
    );
    expect(() => parseManifest('a: [', 'x.yml')).toThrow(/x.yml is not a Kubernetes manifest/);
    expect(() => parseManifest('', 'x.yml')).toThrow(/it holds no object/);
    expect(() => parseManifest('kind: Pod', 'x.yml')).toThrow(/lacks apiVersion/);
  });

  it('names shipped images by their digest and never pulls them', () => {
    const names = new Map([
      ['ciliumship-lab/flannel:lab', 'ciliumship-lab/flannel:lab-0123456789ab'],
    ]);
    const text = JSON.stringify(withShippedImages(objects, names));
    expect(text.match(/flannel:lab-0123456789ab","command"/g)).toHaveLength(2);
    expect(text.match(/"imagePullPolicy":"Never"/g)).toHaveLength(2);
  });
});

describe('what stands in the way of a CNI', () => {
  it('E14: leftovers of another are named with the next command', () => {
    const facts = {
      ...machine({ node: 'worker' }),
      traces: [{ cni: 'flannel', what: 'cni0' }],
    };
    expect(() => requireNoOthers('flannel', [facts])).not.toThrow();
    expect(() => requireNoOthers('cilium', [facts])).toThrow(
      expect.objectContaining({
        kind: 'config',
        details: ['worker: flannel: cni0'],
        hint: expect.stringContaining('ciliumship reset --confirm worker') as string,
      }),
    );
  });

  it('a cluster with other pod networks than the config says', () => {
    const found = [{ name: 'worker', podCidrs: ['10.244.1.0/24', 'fd00::/64'] }];
    expect(() => requirePodNetwork('10.244.0.0/16', found)).not.toThrow();
    expect(() => requirePodNetwork('10.42.0.0/16', found)).toThrow(/gives out others/);
  });

  it('a node without the image that pods are started with', () => {
    expect(pauseImage('a', ['x:1', 'docker.io/rancher/mirrored-pause:3.6'])).toContain('pause:3.6');
    expect(() => pauseImage('a', ['docker.io/x/pausecat:1'])).toThrow(/^a: has no pause image/);
  });
});

describe('cni status', () => {
  const config = parseCniConfig(
    '10-flannel.conflist',
    '{"name":"cbr0","plugins":[{"type":"bridge"}]}',
  );
  const node = (more: Partial<CniOnNode>): CniOnNode => ({
    node: 'master',
    config,
    traces: [{ cni: 'flannel', what: 'cni0' }],
    agents: [{ cni: 'flannel', pod: 'kube-flannel-ds-x', ready: true }],
    ...more,
  });
  const bad = (...nodes: readonly CniOnNode[]) =>
    judgeCni(nodes).flatMap(({ state, found }) => (state === 'ok' ? [] : [found]));

  it('is content with one CNI, its agent ready', () => {
    expect(bad(node({}))).toEqual([]);
    expect(cniOfFleet([node({})])).toBe('flannel');
  });

  it('finds leftovers, agents that are not ready or gone, and nodes that differ', () => {
    expect(bad(node({ traces: [{ cni: 'cilium', what: 'cilium_vxlan' }] }))).toEqual([
      'flannel, leftovers of cilium',
    ]);
    const broken = { cni: 'flannel', pod: 'kube-flannel-ds-x', ready: false } as const;
    expect(bad(node({ agents: [broken] }))).toEqual(['kube-flannel-ds-x not ready']);
    expect(bad(node({ agents: [] }))).toEqual(['none']);
    const none = node({ node: 'worker', config: undefined, traces: [], agents: [] });
    expect(cniOfFleet([node({}), none])).toBe('mixed');
    expect(bad(node({}), none)).toContain('none');
  });

  it('does not call unknown ok', () => {
    const states = judgeCni([node({ agents: undefined })]).map(({ state }) => state);
    expect(states).toEqual(['ok', 'unknown']);
  });
});

describe('namespaces of pods', () => {
  it('are found by the addresses in them', () => {
    const text = [
      '',
      'netns: cni-1',
      '1: lo    inet 127.0.0.1/8 scope host lo',
      '2: eth0    inet 10.42.1.2/24 brd 10.42.1.255 scope global eth0',
      'netns: cni-2',
      '2: eth0    inet 10.42.1.3/24 scope global eth0',
    ].join('\n');
    expect(Object.fromEntries(parseNetns(text))).toEqual({
      '10.42.1.2': 'cni-1',
      '10.42.1.3': 'cni-2',
    });
  });
});

describe('values for a published chart', () => {
  it('are those of the procedure with its mistakes mended', () => {
    const facts = [machine({ node: 'master' }), machine({ node: 'worker' })];
    const values = stockValues([MASTER, WORKER], '10.42.0.0/16', facts);
    expect(values).toMatchObject({
      k8sServiceHost: '10.4.100.1',
      k8sServicePort: 6443,
      ipam: { operator: { clusterPoolIPv4PodCIDRList: ['10.42.0.0/16'] } },
      operator: { nodeSelector: { 'kubernetes.io/hostname': 'master' } },
    });
    expect(values).not.toHaveProperty('mtu');
    expect(values).not.toHaveProperty('devices');
  });

  it('leave load balancing to a kube-proxy that runs', () => {
    const facts = [{ ...machine({ node: 'master' }), kubeProxy: true }];
    expect(stockValues([MASTER], '10.42.0.0/16', facts)).toMatchObject({
      kubeProxyReplacement: false,
      loadBalancer: { acceleration: 'disabled' },
    });
  });

  it('name the devices when they are the same everywhere', () => {
    expect(stockValues([MASTER], '10.42.0.0/16', [machine({ node: 'master' })])).toHaveProperty(
      'devices',
      'eth0',
    );
  });
});
