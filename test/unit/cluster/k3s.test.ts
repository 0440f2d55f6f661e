import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { judgeChange } from '../../../src/cluster/k3s-change.ts';
import { k3sConfig, keptEntry, type K3sSettings } from '../../../src/cluster/k3s-config.ts';
import { installStep } from '../../../src/cluster/k3s-install.ts';
import { changeStep, isToChange } from '../../../src/cluster/k3s-restart.ts';
import type { NodeInstall } from '../../../src/cluster/k3s-tasks.ts';
import { entryOf, founderOf, judgeInstall } from '../../../src/cluster/k3s-plan.ts';
import type { Node } from '../../../src/core/node.ts';
import { OUR_MARK, type K3sFacts } from '../../../src/facts/k3s.ts';
import { configNode } from '../../support/fake-cluster.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';
import { machineFacts } from '../../support/machine-facts.ts';

const SETTINGS: K3sSettings = {
  clusterCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  kubeProxy: false,
  server: {},
  agent: {},
};
const server = (name: string, host: number): Node =>
  configNode(name, { role: 'server', dataAddress: `10.4.100.${host}/16` });
const MASTER = server('master', 1);
const SECOND = server('second', 3);
const WORKER = configNode('worker', { dataAddress: '10.4.100.2/16', nodeName: 'worker-1' });
const TOKEN = 'K10canary::server:0123456789abcdef';

const HEX = createHash('sha256').update('x').digest('hex');

const state = (unit: string): K3sFacts => ({
  binary: undefined,
  config: 'none',
  text: undefined,
  changing: false,
  started: unit === 'active',
  unit,
});
/** Of a node whose config.yaml we wrote. */
const ours = (text: string, change: Partial<K3sFacts> = {}): K3sFacts => ({
  ...state('active'),
  binary: HEX,
  config: 'ours',
  text,
  ...change,
});

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

describe('what K3s cannot change any more', () => {
  const first = { as: 'first', others: false } as const;
  const found = (node: Node, before: string, after: string, binary = HEX) =>
    judgeChange(node, ours(before), { config: after, binary })
      .filter((check) => check.state === 'failed')
      .map(({ node: name, found: what, remedy }) => `${name}: ${what}; ${remedy}`);
  const config = k3sConfig(MASTER, first, SETTINGS);

  test('is nothing of a name more for its certificate', () => {
    const more = { ...SETTINGS, server: { 'tls-san': ['k3s.example'] } };
    expect(found(MASTER, config, k3sConfig(MASTER, first, more))).toEqual([]);
  });

  test('is a network of the cluster, the address of a server, or a label, each with what to do', () => {
    const cidr = { ...SETTINGS, clusterCidr: '10.44.0.0/16' };
    const [network, ...none] = found(MASTER, config, k3sConfig(MASTER, first, cidr));
    expect(network).toMatch(
      /^master: cluster-cidr: 10\.42\.0\.0\/16 → 10\.44\.0\.0\/16; set k3s\.clusterCidr back/,
    );
    expect(none).toEqual([]);
    const moved = k3sConfig({ ...MASTER, dataAddress: '10.4.100.9/16' }, first, SETTINGS);
    expect(found(MASTER, config, moved)[0]).toContain('node-ip: 10.4.100.1 → 10.4.100.9');
    const label = { ...SETTINGS, server: { 'node-label': ['rack=2'] } };
    expect(found(MASTER, config, k3sConfig(MASTER, first, label))[0]).toContain(
      'kubectl label node',
    );
  });

  test('is the database of a single server when others are to join it', () => {
    const kept = keptEntry(parse(config), { as: 'first', others: true }, ['10.4.100.1']);
    const [database] = found(MASTER, config, k3sConfig(MASTER, first, SETTINGS, kept));
    expect(database).toContain('cluster-init: (not set) → true');
    expect(database).toContain('cluster-init: true');
  });

  test('is its program, while an agent may get another address', () => {
    const joins = { as: 'joins', server: '10.4.100.1' } as const;
    const moved = { ...WORKER, dataAddress: '10.4.100.9/16' };
    const [before, after] = [WORKER, moved].map((node) => k3sConfig(node, joins, SETTINGS));
    expect(found(WORKER, before ?? '', after ?? '')).toEqual([]);
    expect(found(WORKER, before ?? '', before ?? '', '0'.repeat(64))[0]).toContain(
      'upgrades nothing',
    );
  });

  test('is never shown when it may be a secret', () => {
    const more = { ...SETTINGS, server: { 'datastore-endpoint': 'mysql://me:canary@tcp(db)/k3s' } };
    const [line] = found(MASTER, config, k3sConfig(MASTER, first, more));
    expect(line).toContain('datastore-endpoint: another value (not shown)');
    expect(line).not.toContain('canary');
  });

  test('is not asked of a node where K3s never started, or that is not ours', () => {
    const other = { config, binary: '0'.repeat(64) };
    expect(judgeChange(MASTER, ours(config, { started: false }), other)).toEqual([]);
    expect(judgeChange(MASTER, state('active'), other)).toEqual([]);
  });
});

describe('how a node came into the cluster stays as it is', () => {
  const second = entryOf(SECOND, [MASTER, SECOND], MASTER);

  test('when another server is the founder now', () => {
    const joined = parse(k3sConfig(SECOND, second, SETTINGS));
    const now = entryOf(SECOND, [MASTER, SECOND], SECOND);
    expect(keptEntry(joined, now, ['10.4.100.1', '10.4.100.3'])).toEqual({
      server: 'https://10.4.100.1:6443',
      'token-file': '/etc/rancher/k3s/token',
    });
    const made = parse(k3sConfig(MASTER, { as: 'first', others: true }, SETTINGS));
    const joins = entryOf(MASTER, [MASTER, SECOND], SECOND);
    expect(keptEntry(made, joins, ['10.4.100.1'])).toEqual({ 'cluster-init': true });
  });

  test('but not when the server that it joined is none of the config any more', () => {
    const joined = parse(k3sConfig(WORKER, second, SETTINGS));
    const moved = { as: 'joins', server: '10.4.100.7' } as const;
    expect(keptEntry(joined, moved, ['10.4.100.7'])).toMatchObject({
      server: 'https://10.4.100.7:6443',
    });
  });
});

const RUN = { signal: new AbortController().signal, progress: () => undefined };

interface Lab {
  readonly node: FakeNode;
  readonly server: FakeNode;
  readonly install: NodeInstall;
  readonly inputs: string[];
}

/** A worker that joins; it registers once it was started. */
function joining(
  options: { readonly config?: string; readonly place?: number; readonly restarts?: number } = {},
): Lab {
  const inputs: string[] = [];
  let started = options.restarts === undefined ? false : undefined;
  const node = fakeNode((command, { input }) => {
    if (typeof input === 'string') inputs.push(input);
    if (command.startsWith('sha256sum')) return { code: 1 };
    if (command.startsWith('ls -d')) {
      return {
        code: 2,
        stdout: options.config === undefined ? '' : '/etc/rancher/k3s/config.yaml',
      };
    }
    if (command.startsWith('head')) return options.config ?? '';
    if (command.startsWith('systemctl is-active')) return { code: 3, stdout: 'inactive' };
    if (command.startsWith('systemctl restart') && started === false) started = true;
    if (command.startsWith('systemctl show')) return String(options.restarts ?? 0);
    if (command.startsWith('journalctl')) return 'level=fatal msg="token is wrong"';
    if (command.includes('sha256sum -c')) return { code: options.place ?? 0 };
    return undefined;
  });
  const founder = fakeNode((command) => {
    if (command.startsWith('cat')) return TOKEN;
    if (command.includes('get node')) return { code: started === true ? 0 : 1 };
    return undefined;
  });
  const install: NodeInstall = {
    node: WORKER,
    entry: { as: 'joins', server: '10.4.100.1' },
    config: k3sConfig(WORKER, { as: 'joins', server: '10.4.100.1' }, SETTINGS),
    state: state('inactive'),
    binary: { sha256: HEX, path: '/in/k3s' },
    installer: { sha256: HEX, path: '/in/install.sh' },
    remote: node,
    server: founder,
    send: async () => undefined,
    timeout: 5_000,
  };
  return { node, server: founder, install, inputs };
}

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

const CONFIG = '/etc/rancher/k3s/config.yaml';

/** A worker in the cluster whose config.yaml is `text`; it is ready again once it was restarted. */
function member(
  text: string,
  {
    changing = false,
    restarts = 0,
  }: { readonly changing?: boolean; readonly restarts?: number } = {},
): Lab {
  const inputs: string[] = [];
  let now = text;
  let beats = 0;
  let kept = changing;
  const node = fakeNode((command, { input }) => {
    if (typeof input === 'string') {
      inputs.push(input);
      now = input;
    }
    if (command.startsWith('sha256sum')) return `${HEX}  /usr/local/bin/k3s`;
    if (command.startsWith('ls -d')) {
      const paths = [CONFIG, '/var/lib/rancher/k3s/agent', ...(kept ? [`${CONFIG}.before`] : [])];
      return paths.join('\n');
    }
    if (command.startsWith('head')) return OUR_MARK;
    if (command.startsWith('cat')) return now;
    if (command.startsWith('systemctl is-active')) return 'active';
    if (command.includes(' keep ')) kept = true;
    if (command.startsWith('rm -f') || command.startsWith('mv -f')) kept = false;
    if (command.startsWith('systemctl restart') && restarts === 0) beats += 1;
    if (command.startsWith('systemctl show')) return String(restarts);
    if (command.startsWith('journalctl')) return 'level=fatal msg="flag provided but not defined"';
    return undefined;
  });
  const founder = fakeNode((command) => (command.includes('jsonpath') ? `True at-${beats}` : ''));
  const { install } = joining();
  const facts = ours(text, { changing });
  return {
    node,
    server: founder,
    inputs,
    install: { ...install, state: facts, remote: node, server: founder },
  };
}

describe('a change of the config of a node that is in the cluster', () => {
  const { install: wanted } = joining();
  const before = wanted.config.replace('10.4.100.2', '10.4.100.8');

  test('is nothing when its config.yaml says the same, in whatever order', async () => {
    const same = `${OUR_MARK}\n${wanted.config.trimEnd().split('\n').slice(1).toReversed().join('\n')}`;
    const { install } = member(same);
    expect(isToChange(install)).toBe(false);
    expect(await installStep(install).done?.(RUN)).toMatchObject({ how: 'already there' });
  });

  test('is shown, written, and waited for until the node is ready anew', async () => {
    const { node, install, inputs } = member(before);
    expect(isToChange(install)).toBe(true);
    const step = changeStep(install);
    expect(await step.done?.(RUN)).toBeUndefined();
    expect(step.plan?.()[0]).toBe(`${CONFIG}: node-ip: 10.4.100.8 → 10.4.100.2`);
    expect(await step.run(RUN)).toMatchObject({ how: 'changed' });
    expect(inputs).toEqual([install.config]);
    const all = node.asked.join('\n');
    expect(all.indexOf('keep')).toBeLessThan(all.indexOf('write'));
    expect(node.asked.at(-1)).toBe(`sudo rm -f -- ${CONFIG}.before`);
    expect(all).not.toContain('INSTALL_K3S');
    expect(await step.done?.(RUN)).toMatchObject({ how: 'already there' });
  });

  test('F48: that was cut before K3s started again is taken up', async () => {
    const { node, install } = member(wanted.config, { changing: true });
    expect(isToChange(install)).toBe(true);
    expect(await changeStep(install).done?.(RUN)).toBeUndefined();
    await changeStep(install).run(RUN);
    expect(node.asked.join('\n')).toContain('systemctl restart');
  });

  test('with which K3s does not come up is taken back, and says why', async () => {
    const { node, install } = member(before, { restarts: 5 });
    await expect(changeStep(install).run(RUN)).rejects.toMatchObject({
      kind: 'deploy',
      message: 'worker: K3s ends again and again with its new settings; it has the old ones again',
      details: ['level=fatal msg="flag provided but not defined"'],
    });
    expect(node.asked.at(-2)).toBe(`sudo mv -f -- ${CONFIG}.before ${CONFIG}`);
    expect(node.asked.at(-1)).toContain('systemctl restart');
  });
});
