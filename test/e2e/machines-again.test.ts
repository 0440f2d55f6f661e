import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareLab } from '../support/bare-lab.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll, until } from '../support/parts.ts';

// The lab of the other tests shows that one can be had; this one is made for this file alone.
const missing =
  onlyInAll('it makes a lab of its own') ?? (await missingPart('the lab', requireLab));
const lab = bareLab('again');
const RESET = ['reset', '--lock-wait', '60s', '--confirm', 'master', 'worker'] as const;

function run(...args: readonly string[]): Promise<Ended> {
  return ciliumship(args, { env: lab.env });
}

const onWorker = (script: string): Promise<string> => lab.onNode('worker', 'sh', '-c', script);
const onMaster = (script: string): Promise<string> => lab.onNode('master', 'sh', '-c', script);

/** K3s's own script, with a wait at its end. */
const SLOW = 'echo "sleep 12" >> /usr/local/bin/k3s-agent-uninstall.sh';

/** Waits until systemd has stopped a unit, which a reset does first. */
function stopped(on: (script: string) => Promise<string>, unit: string): Promise<boolean> {
  return until(`${unit} is stopped`, 180, async () =>
    (await on(`systemctl is-active ${unit} || true`)).startsWith('inactive'),
  );
}

describe.skipIf(missing !== undefined)('the same command again on machines with K3s', () => {
  beforeAll(async () => {
    await lab.up();
    const installed = await run('k3s', 'install');
    expect(installed.code, installed.stderr).toBe(0);
  });
  afterAll(() => lab.down());

  it('F48: settings of K3s that changed are shown, brought node by node, and taken up after a kill', async () => {
    const own = lab.env['CILIUMSHIP_CONFIG'] ?? '';
    const config = join(dirname(own), 'changed.yaml');
    const write = (more: string): void =>
      writeFileSync(config, readFileSync(own, 'utf8').replace('k3s:', `k3s:\n  ${more}`));
    const changed = (...args: readonly string[]): Promise<Ended> =>
      run('k3s', 'install', '--config', config, '--lock-wait', '60s', ...args);
    const settings = (name: string): Promise<string> =>
      lab.onNode(name, 'cat', '/etc/rancher/k3s/config.yaml');
    const names = (): Promise<string> =>
      lab.onNode(
        'master',
        ...['openssl', 'x509', '-noout', '-ext', 'subjectAltName', '-in'],
        '/var/lib/rancher/k3s/server/tls/serving-kube-apiserver.crt',
      );

    write('clusterCidr: 10.52.0.0/16');
    const refused = await changed();
    expect(refused.code, refused.stderr).toBe(2);
    expect(refused.stderr).toMatch(
      /master: cluster-cidr of K3s: cluster-cidr: 10\.42\.0\.0\/16 → 10\.52\.0\.0\/16; set k3s\.clusterCidr back/,
    );

    write('server: { tls-san: [k3s.example] }\n  agent: { kubelet-arg: [max-pods=50] }');
    const dry = await changed('--dry-run', '-o', 'json');
    expect(dry.json()).toMatchObject([
      { state: 'would be changed' },
      { state: 'would be changed' },
    ]);
    expect(dry.stderr).toMatch(/tls-san: \[10[.\d]+\] → \[10[.\d]+, k3s\.example\]/);
    expect(await settings('master')).not.toContain('k3s.example');
    const signalAt = { text: 'change the settings of K3s on master', signal: 'SIGKILL' } as const;
    const args = ['k3s', 'install', '--config', config];
    expect((await ciliumship(args, { env: lab.env, signalAt })).code).not.toBe(0);
    const taken = await changed('-o', 'json');
    expect(taken.code, taken.stderr).toBe(0);
    expect(taken.json()).toMatchObject([{ state: 'changed' }, { state: 'changed' }]);
    expect(await names()).toContain('k3s.example');
    expect(await settings('worker')).toContain('max-pods=50');
    expect(await onWorker('ls /etc/rancher/k3s')).not.toContain('before');
    expect((await changed()).stdout).toMatch(/already there[\s\S]*already there/);

    const back = await run('k3s', 'install', '-o', 'json');
    expect(back.json()).toMatchObject([{ state: 'changed' }, { state: 'changed' }]);
    expect(await names()).not.toContain('k3s.example');
  });

  it('F48: a reset that was killed, and cut off from a node, half way goes on to its end', async () => {
    const kill = new AbortController();
    const killed = ciliumship(RESET, { env: lab.env, killOn: kill.signal });
    await stopped(onWorker, 'k3s-agent');
    kill.abort();
    expect((await killed).code).not.toBe(0);
    expect(await onWorker('ls /usr/local/bin /var/lib/rancher')).toMatch(/k3s-agent-uninstall/);
    expect(await onMaster('systemctl is-active k3s')).toBe('active');

    // A cleaning that is slow: it outlasts a heartbeat of the lock that lies in what it removes.
    await onWorker(SLOW);
    const cut = ciliumship(RESET, { env: lab.env });
    await stopped(onMaster, 'k3s');
    await onMaster("pkill -KILL -f '^sshd: root'");
    const ended = await cut;
    expect(ended.code, ended.stderr).toBe(5);
    expect(ended.stderr).toContain('master: ');
    expect(await onWorker('ls /usr/local/bin')).not.toContain('k3s');
    expect(await onMaster('ls /usr/local/bin')).toContain('k3s-uninstall.sh');

    const taken = await run(...RESET, '-o', 'json');
    expect(taken.code, taken.stderr).toBe(0);
    expect(taken.json()).toMatchObject([{ state: 'cleaned' }, { state: 'nothing to do' }]);
    const left = await onMaster(
      'ls -d /var/lib/rancher/k3s /etc/rancher/k3s /var/lib/kubelet /run/k3s /usr/local/bin/k3s* 2>/dev/null; ip -br link; iptables -S; true',
    );
    expect(left).not.toMatch(/k3s|kubelet|cilium|KUBE/i);
    const again = await run(...RESET, '-o', 'json');
    expect(again.json()).toMatchObject([{ state: 'nothing to do' }, { state: 'nothing to do' }]);
  });
});
