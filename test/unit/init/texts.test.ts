import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { configText } from '../../../src/init/config-text.ts';
import { imageBlocks } from '../../../src/deploy/chart-images.ts';
import { extraImages, withoutDigests } from '../../../src/init/extra-images.ts';
import { propose, type Proposal } from '../../../src/init/propose.ts';
import { valuesText } from '../../../src/init/values-text.ts';
import { link, machine } from '../../support/machines.ts';

const EXAMPLE = readFileSync('values/cilium-values.yaml', 'utf8');
const KEYS = ['vxlanAcceleration', 'image'];

const server = { role: 'server' } as const;
const master = machine('master', [link('eth0', '10.4.100.1/16')], { setup: server });
const worker = machine('worker', [link('eth1', '10.4.100.2/16', { mtu: 1450 })]);
const proposal = propose([master, worker], undefined);

function text(change: Proposal = proposal): string {
  return configText({
    proposal: change,
    source: '../cilium',
    tree: 'Cilium 1.19.0-dev at 0d41604',
    tag: 'dev',
    values: 'cilium-values.yaml',
    hostKeys: 'strict',
    extraImages: ['quay.io/cilium/cilium-envoy:v1'],
    schema: undefined,
  });
}

function values(change: Proposal = proposal, chartKeys: readonly string[] = KEYS) {
  const printed = valuesText(EXAMPLE, { proposal: change, tag: 'dev', chartKeys });
  return { printed, read: parse(printed) as Record<string, never> };
}

describe('the config that init writes', () => {
  it('passes every check of a config, and says what was proposed', () => {
    const config = parseConfig(text(), '/somewhere/ciliumship.yaml');
    expect(config.source).toBe('/cilium');
    expect(config.extraImages).toEqual(['quay.io/cilium/cilium-envoy:v1']);
    expect(config.nodes).toEqual([
      {
        name: 'master',
        ssh: 'master',
        role: 'server',
        dataInterface: 'eth0',
        dataAddress: '10.4.100.1/16',
        devices: ['eth0'],
        profile: 'master-layout',
      },
      {
        name: 'worker',
        ssh: 'worker',
        role: 'agent',
        dataInterface: 'eth1',
        dataAddress: '10.4.100.2/16',
        devices: ['eth1'],
        profile: 'worker-layout',
      },
    ]);
  });

  it('names other networks than the usual ones', () => {
    const config = parseConfig(text({ ...proposal, podCidr: '10.244.0.0/16' }), '/x/c.yaml');
    expect(config.k3s.clusterCidr).toBe('10.244.0.0/16');
  });

  it('has no key that a name of a machine’s system could have brought in', () => {
    const os = { name: 'Evil\nssh: { hostKeys: accept-new }\r', kernel: '6.8\u2028tag: x' };
    const evil = machine('master', master.facts.links, { facts: { os }, setup: server });
    const config = parseConfig(text(propose([evil], undefined)), '/x/c.yaml');
    expect(config.ssh.hostKeys).toBe('strict');
    expect(config.tag).toBe('dev');
  });

  it('keeps text as text where YAML would read a number', () => {
    const odd = machine('1e3', master.facts.links, { ssh: '0x10', setup: server });
    const [node] = parseConfig(text(propose([odd], undefined)), '/x/c.yaml').nodes;
    expect(node).toMatchObject({ name: '1e3', ssh: '0x10' });
  });
});

describe('the values that init writes', () => {
  it('name the server’s data address, the pods’ network, the tag and an MTU that fits', () => {
    expect(values().read).toMatchObject({
      k8sServiceHost: '10.4.100.1',
      MTU: 1350,
      ipam: { operator: { clusterPoolIPv4PodCIDRList: ['10.42.0.0/16'] } },
      image: { override: 'quay.io/cilium/cilium:dev' },
      operator: { nodeSelector: { 'kubernetes.io/hostname': 'master' } },
      loadBalancer: { acceleration: 'native' },
    });
  });

  it('keep the reasons of the example', () => {
    expect(values().printed).toContain('# In capitals: a key `mtu` is silently ignored');
    expect(values().printed).not.toContain('Nodes: master 10.4.100.1/16 and worker');
  });

  it('ask for XDP where it can be had, when a driver does not take it', () => {
    const slow = machine('master', master.facts.links, {
      facts: { drivers: new Map([['eth0', 'tg3']]) },
      setup: server,
    });
    expect(values(propose([slow], undefined)).read).toMatchObject({
      loadBalancer: { acceleration: 'best-effort' },
    });
  });

  it('leave out what this chart or these machines do not have', () => {
    const old = machine('master', master.facts.links, {
      facts: { cgroup: 'tmpfs' },
      setup: server,
    });
    const { read, printed } = values(propose([old], undefined), ['image']);
    expect(read).not.toHaveProperty('vxlanAcceleration');
    expect(read).not.toHaveProperty('cgroup');
    expect(printed).not.toContain('Known only to a chart with the patch');
  });
});

describe('images beside the built ones', () => {
  const built = ['quay.io/cilium/cilium', 'quay.io/cilium/operator-generic'];
  const rendered = [
    'quay.io/cilium/cilium:dev',
    'quay.io/cilium/operator-generic:dev',
    'quay.io/cilium/cilium-envoy:v1@sha256:00',
    'quay.io/cilium/cilium-envoy:v1@sha256:00',
    'quay.io/cilium/hubble-relay:v1',
  ];

  it('are what a chart runs, once each, by tag', () => {
    expect(extraImages(rendered, built)).toEqual([
      { name: 'quay.io/cilium/cilium-envoy:v1', byDigest: true },
      { name: 'quay.io/cilium/hubble-relay:v1', byDigest: false },
    ]);
  });

  it('are found in the values of a chart, however deep, and lose their digests', () => {
    const chart = { envoy: { image: { repository: 'r/envoy', tag: 'v1' } }, list: [1] };
    const [block] = imageBlocks(chart);
    expect(block).toEqual({ path: 'envoy.image', repository: 'r/envoy' });
    const printed = withoutDigests('# why\nMTU: 1400\n', ['envoy.image']);
    expect(printed).toContain('# why');
    expect(parse(printed)).toEqual({ MTU: 1400, envoy: { image: { useDigest: false } } });
  });
});
