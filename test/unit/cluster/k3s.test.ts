import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { k3sConfig, type K3sSettings } from '../../../src/cluster/k3s-config.ts';
import { installStep } from '../../../src/cluster/k3s-install.ts';
import { entryOf, founderOf, judgeInstall } from '../../../src/cluster/k3s-plan.ts';
import { OUR_MARK } from '../../../src/facts/k3s.ts';
import { configNode } from '../../support/fake-cluster.ts';
import { joining, MASTER, SECOND, SETTINGS, state, TOKEN, WORKER } from '../../support/k3s-node.ts';
import { machineFacts } from '../../support/machine-facts.ts';

describe('the config.yaml', () => {
  test('of the server that makes the cluster', () => {
    const node = { ...MASTER, externalAddress: '192.0.2.1' };
    expect(parse(k3sConfig(node, { as: 'first', others: false }, SETTINGS))).toEqual({
      'node-name': 'master',
      'node-ip': '10.4.100.1',
      'node-external-ip': '192.0.2.1',
      'cluster-cidr': '10.42.0.0/16',
      'service-cidr': '10.43.0.0/16',
      'flannel-backend': 'none',
      'disable-network-policy': true,
      'disable-kube-proxy': true,
      'tls-san': ['10.4.100.1', '192.0.2.1'],
      'write-kubeconfig-mode': '0600',
    });
  });

  test('of several servers: the first initialises, the others join it', () => {
    const first = parse(k3sConfig(MASTER, entryOf(MASTER, [MASTER, SECOND], MASTER), SETTINGS));
    const second = parse(k3sConfig(SECOND, entryOf(SECOND, [MASTER, SECOND], MASTER), SETTINGS));
    expect(first).toMatchObject({ 'cluster-init': true });
    expect(first).not.toHaveProperty('server');
    expect(second).toMatchObject({
      server: 'https://10.4.100.1:6443',
      'token-file': '/etc/rancher/k3s/token',
    });
    expect(second).not.toHaveProperty('cluster-init');
  });

  test('of an agent names server and token file, and has more of the user’s own', () => {
    const more = { ...SETTINGS, agent: { 'kubelet-arg': ['max-pods=50'] } };
    expect(parse(k3sConfig(WORKER, { as: 'joins', server: 'fd00::1' }, more))).toEqual({
      'node-name': 'worker-1',
      'node-ip': '10.4.100.2',
      server: 'https://[fd00::1]:6443',
      'token-file': '/etc/rancher/k3s/token',
      'kubelet-arg': ['max-pods=50'],
    });
  });
});

describe('the server that others join', () => {
  test('is the first of the config', () => {
    const none = new Map([['master', state('inactive')]]);
    expect(founderOf([WORKER, MASTER, SECOND], none)).toBe(MASTER);
  });

  test('is one that runs, so that a first one that comes back makes no second cluster', () => {
    const states = new Map([
      ['master', state('inactive')],
      ['second', state('active')],
    ]);
    const founder = founderOf([MASTER, SECOND], states);
    expect(founder).toBe(SECOND);
    expect(entryOf(MASTER, [MASTER, SECOND], founder)).toEqual({
      as: 'joins',
      server: '10.4.100.3',
    });
  });

  test('needs an address', () => {
    const bare = configNode('master', { role: 'server' });
    expect(() => entryOf(WORKER, [bare, WORKER], bare)).toThrow('no dataAddress');
  });
});

describe('what stands in the way', () => {
  const failed = (settings: K3sSettings, version?: string) =>
    judgeInstall(machineFacts(), settings, version).filter((check) => check.state === 'failed');

  test('is nothing on a node whose networks are apart', () => {
    expect(failed(SETTINGS, 'v1.34.4+k3s1')).toEqual([]);
  });

  test('E18: is any network of the node that pods or services would hide', () => {
    const [found] = failed({ ...SETTINGS, clusterCidr: '10.0.0.0/8' });
    expect(found).toMatchObject({ check: 'network of pods', node: 'worker' });
    expect(found?.remedy).toContain('k3s.clusterCidr');
  });

  test('is another release of K3s', () => {
    expect(failed(SETTINGS, 'v1.33.1+k3s1')).toMatchObject([{ check: 'K3s version' }]);
  });
});

const RUN = { signal: new AbortController().signal, progress: () => undefined };

describe('an install', () => {
  test('brings, writes, installs, starts and waits until the node registered', async () => {
    const { node, server: founder, install, inputs } = joining();
    await installStep(install).run(RUN);
    const all = node.asked.join('\n');
    expect(all).toContain('INSTALL_K3S_SKIP_DOWNLOAD=true');
    expect(all.indexOf('write /etc/rancher/k3s/token')).toBeGreaterThan(-1);
    expect(all.indexOf('install.sh')).toBeLessThan(all.indexOf('systemctl restart --no-block'));
    expect(inputs).toEqual([install.config, TOKEN]);
    expect(founder.asked).toContain(
      'sudo k3s kubectl -n kube-system delete secret worker-1.node-password.k3s --ignore-not-found',
    );
  });

  test('D7: has the token in no argument and in no line of a dry run', async () => {
    const { node, server: founder, install } = joining();
    const step = installStep(install);
    await step.run(RUN);
    const seen = [...node.asked, ...founder.asked, ...(step.plan?.() ?? [])].join('\n');
    expect(seen).not.toContain('canary');
    expect(install.config).not.toContain('canary');
  });

  test('leaves a config.yaml alone that somebody else wrote', async () => {
    const { node, install } = joining({ config: 'token: theirs' });
    await expect(installStep(install).run(RUN)).rejects.toMatchObject({ kind: 'config' });
    expect(node.asked.join('\n')).not.toContain('INSTALL_K3S');
  });

  test('F48: goes on over a config.yaml of its own that an earlier run left', async () => {
    const { node, install } = joining({ config: OUR_MARK });
    await installStep(install).run(RUN);
    expect(node.asked.join('\n')).toContain('systemctl restart');
  });

  test('refuses a file that arrived with other bytes', async () => {
    const { node, install } = joining({ place: 65 });
    await expect(installStep(install).run(RUN)).rejects.toMatchObject({ kind: 'integrity' });
    expect(node.asked.join('\n')).not.toContain('INSTALL_K3S');
  });

  test('of a K3s that ends again and again says its last words', async () => {
    const { install } = joining({ restarts: 5 });
    await expect(installStep(install).run(RUN)).rejects.toMatchObject({
      kind: 'deploy',
      details: ['level=fatal msg="token is wrong"'],
    });
  });
});
