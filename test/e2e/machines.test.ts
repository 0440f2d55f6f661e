import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareLab } from '../support/bare-lab.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll, until } from '../support/parts.ts';
import { quickestOf } from '../support/quickest.ts';
import { watchProcesses } from '../support/secrets.ts';

// The lab of the other tests shows that one can be had; this one is made for this file alone.
const missing =
  onlyInAll('it makes a lab of its own') ?? (await missingPart('the lab', requireLab));
const lab = bareLab('bare');
const CONFIRM = ['--confirm', 'master', 'worker'] as const;
const TOKEN = 'cab1e5.0123456789abcdef';
/** An API that somebody else's server answers for, which is away. */
const DEAD_API = JSON.stringify({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1.mine.example.com' },
  spec: {
    group: 'mine.example.com',
    version: 'v1',
    groupPriorityMinimum: 100,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
    service: { name: 'mine', namespace: 'default' },
  },
});

function run(...args: readonly string[]): Promise<Ended> {
  return ciliumship(args, { env: lab.env });
}

const onWorker = (script: string): Promise<string> => lab.onNode('worker', 'sh', '-c', script);

/** A config beside that of the lab, with a manifest of Antrea by path and its sha256. */
function antrea(theirs: string): {
  readonly config: string;
  readonly write: (change: { readonly image?: string; readonly sha256?: string }) => void;
} {
  const own = lab.env['CILIUMSHIP_CONFIG'] ?? '';
  const [config, manifest] = [join(dirname(own), 'antrea.yaml'), join(dirname(own), 'antrea.yml')];
  const text = readFileSync(new URL('../data/antrea.yml', import.meta.url), 'utf8');
  return {
    config,
    write: ({ image = theirs, sha256 }) => {
      const filled = text.replace('@IMAGE@', image);
      writeFileSync(manifest, filled);
      const sum = sha256 ?? createHash('sha256').update(filled).digest('hex');
      const cni = `cni:\n  antrea: { manifest: antrea.yml, sha256: '${sum}' }\n`;
      writeFileSync(config, `${readFileSync(own, 'utf8')}${cni}`);
    },
  };
}

const KUBECTL = join(dirname(lab.env['CILIUMSHIP_CONFIG'] ?? ''), 'bin', 'kubectl');

const OTHER_CLUSTER = `# mine
apiVersion: v1
kind: Config
clusters: [{ name: work, cluster: { server: "https://work.example" } }]
users: [{ name: work, user: { token: secret } }]
contexts: [{ name: work, context: { cluster: work, user: work } }]
current-context: work
`;

describe.skipIf(missing !== undefined)('K3s on bare machines', () => {
  beforeAll(() => lab.up());
  afterAll(() => lab.down());

  it('D26: K3s whose program or installer has another sha256 is not brought to any node', async () => {
    const own = lab.env['CILIUMSHIP_CONFIG'] ?? '';
    const config = join(dirname(own), 'other-sum.yaml');
    for (const key of ['binary', 'installer']) {
      const text = readFileSync(own, 'utf8').replace(
        'k3s:',
        `k3s:\n  ${key}Sha256: '${'0'.repeat(64)}'`,
      );
      writeFileSync(config, text);
      const refused = await run('k3s', 'install', '--config', config);
      expect(refused.code, refused.stderr).toBe(7);
      expect(refused.stderr).toMatch(
        new RegExp(`k3s\\.${key}: \\S+ has sha256 [0-9a-f]{64}, and the config says 0{64}`),
      );
    }
    expect(await onWorker('ls /usr/local/bin')).not.toContain('k3s');
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

  it('machines whose K3s is stopped are looked at in three seconds at most', async () => {
    await onWorker('systemctl stop k3s-agent');
    const { look, most } = await quickestOf('preflight', lab.env, [0, 3]);
    await onWorker('systemctl start k3s-agent');
    expect(look).toBeLessThan(most);
  });

  it('a kubeconfig of the cluster is written for the user alone', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'ciliumship-e2e-')), 'kubeconfig');
    const written = await run('k3s', 'kubeconfig', '--kubeconfig', file, '--context', 'mine');
    expect(written.code, written.stderr).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('current-context: mine');
    expect(statSync(file).mode & 0o777).toBe(0o600);

    writeFileSync(file, OTHER_CLUSTER);
    expect((await run('k3s', 'kubeconfig', '--kubeconfig', file)).code).toBe(0);
    const merged = readFileSync(file, 'utf8');
    expect(merged).toMatch(/# mine\n[^]*current-context: work/);
    const nodes = await execa(KUBECTL, ['--context', 'k3s-master', 'get', 'nodes', '-o', 'name'], {
      env: { ...lab.env, KUBECONFIG: file },
      reject: false,
    });
    expect(nodes.stdout, nodes.stderr).toBe('node/master\nnode/worker');
    const taken = await run('k3s', 'kubeconfig', '--kubeconfig', file, '--context', 'work');
    expect(taken.code).toBe(2);
    expect(readFileSync(file, 'utf8')).toBe(merged);
  });

  it('E14: Antrea, of whose images there is none here, is refused, given up and taken away again', async () => {
    const { config, write } = antrea('docker.io/antrea/antrea-agent-ubuntu:v2.4.0');
    const install = (...more: readonly string[]): Promise<Ended> =>
      run('cni', 'install', 'antrea', '--config', config, ...more);
    const kubectl = (...args: readonly string[]): Promise<string> =>
      lab.onNode('master', 'k3s', 'kubectl', '-n', 'kube-system', ...args);
    const agents = (): Promise<string> => kubectl('get', 'daemonset', '-o', 'name');

    write({ sha256: '0'.repeat(64) });
    const other = await install();
    expect(other.code, other.stderr).toBe(7);
    expect(other.stderr).toMatch(/antrea\.yml has sha256 [0-9a-f]{64}, and cni\.antrea says 0{64}/);
    write({});
    const nowhere = await install();
    expect(nowhere.code, nowhere.stderr).toBe(4);
    expect(nowhere.stderr).toContain('docker pull docker.io/antrea/antrea-agent-ubuntu:v2.4.0');
    write({ image: '@IMAGE@' });
    expect((await install()).stderr).toContain('not a name of an image: "@IMAGE@"');
    write({});
    await onWorker('echo "{}" > /etc/cni/net.d/10-flannel.conflist');
    const beside = await install();
    expect(beside.code, beside.stderr).toBe(2);
    expect(beside.stderr).toContain('worker: flannel: /etc/cni/net.d/10-flannel.conflist');
    await onWorker('rm /etc/cni/net.d/10-flannel.conflist');
    expect(await agents()).toBe('');

    // What every node has stands in for its agent, and never becomes ready.
    write({ image: 'docker.io/rancher/mirrored-pause:3.6' });
    const dry = await install('--dry-run');
    expect(dry.code, dry.stderr).toBe(0);
    expect(dry.stderr).toContain('DaemonSet kube-system/antrea-agent');
    expect(await agents()).toBe('');
    const late = await install('--timeout', '8s');
    expect(late.code, late.stderr).toBe(10);
    expect(late.stderr).toContain('DaemonSet antrea-agent: 0 of 2 pods ready');
    expect(late.stderr).toContain('kubectl -n kube-system describe daemonset antrea-agent');
    expect(await agents()).toBe('daemonset.apps/antrea-agent');
    expect(await kubectl('get', 'apiservice,configmap', '-l', 'app=antrea', '-o', 'name')).toBe(
      'apiservice.apiregistration.k8s.io/v1beta2.controlplane.antrea.io\nconfigmap/antrea-config',
    );

    // What its agents leave on a node, by its names; the interface is none of Open vSwitch.
    await onWorker(
      'ip link add antrea-gw0 type veth peer name antrea-tun0; mkdir -p /run/antrea /var/lib/antrea; echo "{}" > /etc/cni/net.d/10-antrea.conflist',
    );
    const after = await run('cni', 'install', 'cilium', '--config', config);
    expect(after.code, after.stderr).toBe(2);
    expect(after.stderr).toContain('worker: antrea: antrea-gw0');
    expect(after.stderr).toContain('ciliumship cni uninstall --confirm master worker');
    await lab.onNode('master', 'sh', '-c', `echo '${DEAD_API}' | k3s kubectl apply -f -`);
    const removed = await run('cni', 'uninstall', '--config', config, ...CONFIRM);
    expect(removed.code, removed.stderr).toBe(0);
    expect(removed.stderr).toContain('APIService v1.mine.example.com is back');
    await kubectl('delete', 'apiservice', 'v1.mine.example.com');
    expect(await kubectl('get', 'all,apiservice,crd', '-l', 'app=antrea', '-o', 'name')).toBe('');
    const left = 'ls /etc/cni/net.d; ls -d /run/antrea /var/lib/antrea 2>/dev/null; ip -br link';
    expect(await onWorker(left)).not.toContain('antrea');
    const again = await run('cni', 'uninstall', '--config', config, ...CONFIRM, '-o', 'json');
    expect(again.json()).toMatchObject([{ state: 'nothing to do' }, { state: 'nothing to do' }]);
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

  it('several servers: one makes the cluster, the other joins it, leaves it, and comes back', async () => {
    const own = lab.env['CILIUMSHIP_CONFIG'] ?? '';
    // Beside it: paths in it are relative.
    const config = join(dirname(own), 'several.yaml');
    writeFileSync(config, readFileSync(own, 'utf8').replace('role: agent', 'role: server'));
    const both = (...args: readonly string[]): Promise<Ended> => run(...args, '--config', config);
    const onMaster = (...argv: readonly string[]): Promise<string> =>
      lab.onNode('master', 'k3s', 'kubectl', ...argv);
    const servers = (): Promise<string> =>
      onMaster('get', 'nodes', '-l', 'node-role.kubernetes.io/control-plane', '-o', 'name');

    const installed = await both('k3s', 'install');
    expect(installed.code, installed.stderr).toBe(0);
    await until('both are servers', 30, async () => (await servers()).includes('worker'));
    expect(await onWorker('cat /etc/rancher/k3s/config.yaml')).toMatch(/^server: https:/m);
    expect(await onWorker('k3s kubectl get nodes -o name')).toBe('node/master\nnode/worker');
    expect((await both('k3s', 'install')).stdout).toMatch(/already there[\s\S]*already there/);

    // What K3s keeps of a node that was there before: with another password it may not come back.
    const password = ['generic', 'worker.node-password.k3s', '-n', 'kube-system'];
    await onMaster('create', 'secret', ...password, '--from-literal=hash=of-before');
    const left = await both('k3s', 'uninstall', '--nodes', 'worker', '--confirm', 'worker');
    expect(left.code, left.stderr).toBe(0);
    expect(await servers()).toBe('node/master');
    const back = await both('k3s', 'install', '--nodes', 'worker');
    expect(back.code, back.stderr).toBe(0);
    await until('it is back', 30, async () => (await servers()).includes('worker'));
    const found = onMaster('get', 'secret', 'worker.node-password.k3s', '-n', 'kube-system');
    await expect(found).rejects.toThrow('not found');
    const reset = await both('reset', '--confirm', 'master', 'worker');
    expect(reset.code, reset.stderr).toBe(0);
  });
});
