import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareLab } from '../support/bare-lab.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll, until } from '../support/parts.ts';
import { watchProcesses } from '../support/secrets.ts';

// The lab of the other tests shows that one can be had; this one is made for this file alone.
const missing =
  onlyInAll('it makes a lab of its own') ?? (await missingPart('the lab', requireLab));
const lab = bareLab('bare');
const TOKEN = 'cab1e5.0123456789abcdef';

function run(...args: readonly string[]): Promise<Ended> {
  return ciliumship(args, { env: lab.env });
}

const onWorker = (script: string): Promise<string> => lab.onNode('worker', 'sh', '-c', script);
const groOfWorker = (): Promise<string> => onWorker('ethtool -k eth1 | grep ^generic-receive');

/** A driver whose reset takes the link of our SSH session down, until it is set back. */
const FATAL_ETHTOOL = `cat > /usr/local/sbin/ethtool <<'END'
#!/bin/sh
/usr/sbin/ethtool "$@" || exit
case "$*" in "-K eth1 gro off") ip link set em2 down ;; "-K eth1 gro on") ip link set em2 up ;; esac
END
chmod 0755 /usr/local/sbin/ethtool; /usr/sbin/ethtool -K eth1 gro on`;

describe.skipIf(missing !== undefined)('bare machines', () => {
  beforeAll(() => lab.up());
  afterAll(() => lab.down());

  it('F45: a node that a change cuts off undoes it by itself', async () => {
    await onWorker(FATAL_ETHTOOL);
    const cut = await run('harden', '--gro', 'off', '--nodes', 'worker', '--dead-man', '4s');
    expect(cut.code, cut.stderr).toBe(5);
    expect(cut.stderr).toContain('the node undoes it within 4 s');
    await until('the node has undone it', 20, async () => (await groOfWorker()).endsWith(': on'));
    await onWorker('rm /usr/local/sbin/ethtool');
    await until('the worker answers again', 30, async () => (await run('preflight')).code !== 5);
  });

  it('E2: harden shows before and after, and has nothing to do a second time', async () => {
    const first = await run('harden', '--gro', 'off', '--persist', '-o', 'json');
    expect(first.code, first.stderr).toBe(0);
    expect(await groOfWorker()).toContain(': off');
    expect(await onWorker('cat /etc/systemd/network/*')).toContain('GenericReceiveOffload=false');
    expect(await onWorker('systemctl list-timers --all')).not.toContain('ciliumship');
    const again = await run('harden', '--gro', 'off', '-o', 'json');
    const [, worker] = again.json() as { settings: { before: string; after: string }[] }[];
    expect(worker?.settings.every(({ before, after }) => before === after)).toBe(true);
  });

  it('F48: an install that was killed half way is taken up, and a second one does nothing', async () => {
    const token = '/var/lib/rancher/k3s/server/token';
    const write = `mkdir -p "$(dirname ${token})" && umask 077 && printf %s ${TOKEN} > ${token}`;
    await lab.onNode('master', 'sh', '-c', write);
    const signalAt = { text: 'Agents: install K3s on worker', signal: 'SIGKILL' } as const;
    const killed = await ciliumship(['k3s', 'install'], { env: lab.env, signalAt });
    expect(killed.code).not.toBe(0);
    const stop = watchProcesses(TOKEN);
    const installed = await run('k3s', 'install', '--lock-wait', '60s', '-o', 'json');
    const { found, looks } = stop();
    expect(installed.code, installed.stderr).toBe(0);
    expect(installed.json()).toMatchObject([{ state: 'already there' }, { state: 'installed' }]);
    expect(looks).toBeGreaterThan(20);
    expect(found).toEqual([]);
    const again = await run('k3s', 'install');
    expect(again.stdout).toMatch(/already there[\s\S]*already there/);
    expect(await lab.onNode('master', 'k3s', 'kubectl', 'get', 'nodes')).toMatch(/worker/);
  });

  it('D7: the token of the cluster lies in a file of root alone, and in no log', async () => {
    const files = await onWorker(`grep -rlF ${TOKEN} /etc /root /home /tmp /var/log || true`);
    expect(files).toBe('/etc/rancher/k3s/token');
    expect(await onWorker('stat -c "%a %U" /etc/rancher/k3s/token')).toBe('600 root');
    const ended = await run('k3s', 'install', '--dry-run', '--verbose', '--json-events', '-');
    expect(`${ended.stdout}${ended.stderr}`).not.toContain(TOKEN);
  });

  it('a kubeconfig of the cluster is written for the user alone', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'ciliumship-e2e-')), 'kubeconfig');
    const written = await run('k3s', 'kubeconfig', '--kubeconfig', file, '--context', 'mine');
    expect(written.code, written.stderr).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('current-context: mine');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('D22: data in a mount below K3s’s folder survives, and stops a reset before it begins', async () => {
    const data = '/var/lib/rancher/k3s/storage/mine';
    await onWorker(
      `mkdir -p ${data} /mine; echo precious > /mine/data; mount --bind /mine ${data}`,
    );
    const refused = await run('reset', '--nodes', 'worker', '--confirm', 'worker');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`${data} is a mount`);
    expect(await onWorker('cat /mine/data; systemctl is-active k3s-agent')).toBe(
      'precious\nactive',
    );
    await onWorker(`umount ${data}`);
  });

  it('F48: a reset leaves nothing, also without the uninstall script, and does nothing again', async () => {
    await onWorker(
      'rm /usr/local/bin/k3s-agent-uninstall.sh; ip link add cilium_host type veth peer name cilium_net; iptables -N CILIUM_INPUT; iptables -A INPUT -j CILIUM_INPUT; ip rule add priority 9 fwmark 0x200/0xf00 table 2004; touch /etc/cni/net.d/05-cilium.conflist',
    );
    const unnamed = await run('reset', '--nodes', 'worker');
    expect(unnamed.code).toBe(2);
    const reset = await run('reset', '--confirm', 'master', 'worker');
    expect(reset.code, reset.stderr).toBe(0);
    const left = await onWorker(
      'ls -d /var/lib/rancher/k3s /etc/rancher/k3s /var/lib/kubelet /run/k3s /usr/local/bin/k3s* 2>/dev/null; ip -br link; iptables -S; ip rule; ls /etc/cni/net.d; cat /mine/data; true',
    );
    expect(left).not.toMatch(/k3s|kubelet|cilium|KUBE|2004/i);
    expect(left).toContain('precious');
    const again = await run('reset', '--confirm', 'master', 'worker', '-o', 'json');
    expect(again.json()).toMatchObject([{ state: 'nothing to do' }, { state: 'nothing to do' }]);
  });
});
