import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { execa } from 'execa';
import { TREE } from '../../lab/files.ts';
import { SSH_CONFIG } from '../../lab/ssh.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { changedConfig, labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';
import { until } from '../support/parts.ts';
import type { NodeResult } from '../support/ship-result.ts';

const missing = await missingPart('the lab', requireLab);
const CTR = ['k3s', 'ctr', '-n', 'k8s.io'] as const;
const IMAGES = [...CTR, 'images', 'check', 'name~=quay.io/cilium/cilium:'] as const;

/** Each refusal leaves the nodes as they are and ends with what to do. */
describe.skipIf(missing !== undefined)('a refusal', () => {
  let before: string;

  const shipped = (): Promise<string> => onNode(nodeNamed('worker'), ...IMAGES);
  const push = (env: NodeJS.ProcessEnv, ...more: readonly string[]): Promise<Ended> =>
    ciliumship(['push', '--no-build', '-o', 'json', ...more], { env });

  beforeAll(async () => {
    const ended = await ciliumship(['push'], { env: labEnvironment() });
    expect(ended.code, ended.stderr).toBe(0);
    before = await shipped();
  });

  /** An ssh config and known_hosts like the lab's, each with a change. */
  function changedSsh(change: {
    config?: (text: string) => string;
    hosts?: (text: string) => string;
  }): NodeJS.ProcessEnv {
    const folder = dirname(changedConfig((text) => text));
    const hosts = join(folder, 'known_hosts');
    const text = readFileSync(SSH_CONFIG, 'utf8');
    const known = readFileSync(join(dirname(SSH_CONFIG), 'known_hosts'), 'utf8');
    const config = text.replaceAll(/UserKnownHostsFile .*/g, `UserKnownHostsFile ${hosts}`);
    writeFileSync(hosts, change.hosts?.(known) ?? known);
    writeFileSync(join(folder, 'ssh_config'), change.config?.(config) ?? config);
    return { ...labEnvironment(), CILIUMSHIP_SSH_CONFIG: join(folder, 'ssh_config') };
  }

  async function expectRefusal(
    ended: Ended,
    code: number,
    ...said: readonly (string | RegExp)[]
  ): Promise<void> {
    expect(ended.code, ended.stderr).toBe(code);
    for (const text of said) expect(ended.stderr).toMatch(text);
    expect(ended.stderr).toMatch(/next: /);
    expect(await shipped()).toBe(before);
  }

  it('a changed host key is refused before a byte is sent', async () => {
    const { stdout } = await execa('bash', [
      '-c',
      'd=$(mktemp -d); ssh-keygen -q -t ed25519 -N "" -f $d/k; cut -d" " -f1,2 $d/k.pub',
    ]);
    const env = changedSsh({
      hosts: (text) => text.replaceAll(/ ssh-ed25519 \S+/g, ` ${stdout.trim()}`),
    });
    const ended = await push(env);
    await expectRefusal(ended, 6, 'master', 'worker', /host key/i);
    const { nodes } = ended.json() as { readonly nodes: readonly NodeResult[] };
    expect(nodes.map(({ bytes, state }) => ({ bytes, state }))).toEqual([
      { bytes: 0, state: 'failed' },
      { bytes: 0, state: 'failed' },
    ]);
  });

  it('an unknown host key is refused and its fingerprint shown', async () => {
    await expectRefusal(await push(changedSsh({ hosts: () => '' })), 6, 'worker', /SHA256:/);
  });

  it('a wrong user is refused', async () => {
    const env = changedSsh({ config: (text) => text.replaceAll(/User \S+/g, 'User nobody') });
    await expectRefusal(await push(env, '--nodes', 'worker'), 6, 'worker');
  });

  it('a sudo that wants a password is refused', async () => {
    const worker = nodeNamed('worker');
    await onNode(worker, 'mv', '/etc/sudoers.d/admin', '/root/sudoers-admin');
    const ended = await push(labEnvironment(), '--nodes', 'worker');
    await onNode(worker, 'mv', '/root/sudoers-admin', '/etc/sudoers.d/admin');
    await expectRefusal(ended, 6, 'worker', 'sudo', 'NOPASSWD');
  });

  it('F29: a containerd that is down is named, and the other node is served', async () => {
    const worker = nodeNamed('worker');
    await onNode(worker, 'systemctl', 'stop', 'k3s-agent');
    const ended = await push(labEnvironment());
    await onNode(worker, 'systemctl', 'start', 'k3s-agent');
    await until('containerd answers', 30, async () =>
      onNode(worker, 'k3s', 'ctr', 'version').catch(() => undefined),
    );
    await expectRefusal(ended, 8, 'worker', 'containerd does not answer', 'systemctl');
    const { nodes } = ended.json() as { readonly nodes: readonly NodeResult[] };
    expect(nodes.find(({ node }) => node === 'master')?.state).toBe('nothing to do');
  });

  it('a Docker that is not running is named by its address', async () => {
    const env = { ...labEnvironment(), DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
    await expectRefusal(await push(env), 4, '/nonexistent/docker.sock');
  });

  it.each([
    [
      'an image that was not built',
      (text: string) => text.replace(/^tag: .*$/m, 'tag: never-built'),
      4,
      'never-built',
    ],
    ['a misspelt key', (text: string) => `${text}transfr: {}\n`, 2, /transfr.*transfer/s],
    [
      'two nodes with one address',
      (text: string) =>
        text.replace(nodeNamed('worker').dataAddress, nodeNamed('master').dataAddress),
      2,
      nodeNamed('master').dataAddress,
    ],
  ])('%s is refused', async (_, change, code, said) => {
    await expectRefusal(await push(labEnvironment(changedConfig(change))), code, said);
  });

  it('a source tree that is none is refused', async () => {
    const config = changedConfig((text) => text.replace(/source: .*/, 'source: /tmp'));
    await expectRefusal(
      await ciliumship(['build'], { env: labEnvironment(config) }),
      2,
      '/tmp',
      'Cilium tree',
    );
  });

  it('a misspelt flag is refused with a suggestion', async () => {
    const ended = await ciliumship(['push', '--no-biuld'], { env: labEnvironment() });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('--no-build');
  });

  it('a chart that is missing is refused', async () => {
    const config = changedConfig((text) =>
      text.replace('deploy:', 'deploy:\n  chart: /tmp/no-chart'),
    );
    await expectRefusal(
      await ciliumship(['deploy'], { env: labEnvironment(config) }),
      2,
      '/tmp/no-chart',
    );
  });

  it('E3, E12, E18: values that do not fit the machines are refused, all of them at once', async () => {
    const values = join(dirname(changedConfig((text) => text)), 'values.yaml');
    const own = readFileSync(join(dirname(SSH_CONFIG), 'cilium-values.yaml'), 'utf8')
      .replace('MTU: 1400', 'MTU: 9000')
      .replace('k8sServicePort: 6443', 'k8sServicePort: 9999')
      .replace('10.42.0.0/16', '10.0.0.0/8');
    writeFileSync(values, own);
    const ended = await ciliumship(['deploy', '--values', values], { env: labEnvironment() });
    await expectRefusal(ended, 2, values, /MTU: 9000/, /k8sServiceHost/, /10\.0\.0\.0\/8/);
    const whole = await ciliumship(['ship', '--values', values], { env: labEnvironment() });
    await expectRefusal(whole, 2, values, /MTU: 9000/);
    expect(whole.stderr, 'only what a build had time for').not.toMatch(/^(Export|Send|Import)/m);
  });

  it('E6, E13, E15: devices that no program can be attached to, and a chart of another version', async () => {
    const chart = join(dirname(changedConfig((text) => text)), 'chart');
    cpSync(join(TREE, 'install/kubernetes/cilium'), chart, { recursive: true });
    const meta = readFileSync(join(chart, 'Chart.yaml'), 'utf8');
    writeFileSync(
      join(chart, 'Chart.yaml'),
      meta.replace(/^appVersion: .*$/m, 'appVersion: 1.17.0'),
    );
    const devices = 'devices: [unplugged, plain], profile: worker-layout';
    const config = changedConfig((text) =>
      text
        .replace('profile: worker-layout', devices)
        .replace('deploy:', `deploy:\n  chart: ${chart}`),
    );
    const worker = nodeNamed('worker');
    const add = (name: string, id: number) => `ip link add ${name} type vxlan id ${id} dstport 9`;
    const links = [add('unplugged', 1), add('plain', 2), 'ip link set plain up'];
    await onNode(worker, 'sh', '-ec', links.join('\n'));
    const ended = await ciliumship(['deploy'], { env: labEnvironment(config) });
    await onNode(worker, 'sh', '-c', 'ip link del unplugged; ip link del plain');
    await expectRefusal(
      ended,
      2,
      /unplugged of worker has no carrier \(E6\)/,
      /plain of worker has driver vxlan, without native XDP \(E15\)/,
      /shipped operator is 1\.19\S*, the chart 1\.17\.0 \(E13\)/,
    );
  });

  it('F37: values that are not YAML are refused with the line', async () => {
    const values = join(dirname(changedConfig((text) => text)), 'values.yaml');
    writeFileSync(values, 'MTU: 1400\nbpf: [\n');
    const ended = await ciliumship(['deploy', '--values', values], { env: labEnvironment() });
    await expectRefusal(ended, 2, values, /line [23]/);
  });

  it('F33: a name of a shipped image that somebody gave other bytes is refused with both digests', async () => {
    const env = labEnvironment();
    const worker = nodeNamed('worker');
    const listed = await ciliumship(['images', '--nodes', 'worker', '-o', 'json'], { env });
    const names = (listed.json() as readonly { image: string; usedBy: readonly string[] }[])
      .filter(({ usedBy }) => usedBy.includes('last push'))
      .map(({ image }) => image);
    const nameOf = (repository: string) => names.find((name) => name.includes(repository)) ?? '';
    const [agent, operator] = [nameOf('/cilium:'), nameOf('/operator-generic:')];
    await onNode(worker, ...CTR, 'images', 'tag', '--force', operator, agent);
    try {
      const ended = await ciliumship(['deploy'], { env });
      expect(ended.code, ended.stderr).toBe(7);
      expect(ended.stderr).toMatch(
        new RegExp(`worker: ${agent} is sha256:[0-9a-f]{64}, not sha256:`),
      );
      expect(ended.stderr).toMatch(/next: .*ciliumship push/);
    } finally {
      const mended = await ciliumship(['push', '--no-build'], { env });
      expect(mended.code, mended.stderr).toBe(0);
    }
    expect(await shipped()).toBe(before);
  });

  it('F43, K1: a rendered image that a node lacks is refused with node and image', async () => {
    const values = join(dirname(changedConfig((text) => text)), 'values.yaml');
    const own = readFileSync(join(dirname(SSH_CONFIG), 'cilium-values.yaml'), 'utf8');
    writeFileSync(
      values,
      `${own}envoy: { image: { override: quay.io/cilium/cilium-envoy:other } }\n`,
    );
    const ended = await ciliumship(['deploy', '--values', values], { env: labEnvironment() });
    await expectRefusal(ended, 8, /worker: quay.io\/cilium\/cilium-envoy:other/, 'master:');
  });
});
