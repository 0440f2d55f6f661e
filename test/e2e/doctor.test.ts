import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ciliumship, type Ended } from '../support/cli.ts';
import { kubectl, labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();
const worker = nodeNamed('worker');
const DEVICE = worker.dataInterface;

function doctor(...args: readonly string[]): Promise<Ended> {
  return ciliumship(['doctor', ...args], { env });
}

/** Sees a problem, mends it, and sees it gone. */
async function expectMended(id: string, proof: string, ...more: readonly string[]): Promise<void> {
  const found = await doctor(id, ...more);
  expect(found.code, found.stderr).toBe(3);
  expect(found.stdout).toContain(proof);
  const dry = await doctor('--fix', id, ...more, '--dry-run');
  expect(dry.code, dry.stderr).toBe(0);
  expect((await doctor(id, ...more)).code).toBe(3);
  const fixed = await doctor('--fix', id, ...more);
  expect(fixed.code, fixed.stderr).toBe(0);
  const again = await doctor(id, ...more);
  expect(again.code, again.stdout).toBe(0);
}

/** Ends the agent of the worker so that nothing starts it again. */
async function stopAgent(): Promise<void> {
  await onNode(worker, 'systemctl', 'stop', 'k3s-agent');
  await onNode(worker, 'pkill', '-9', '-x', 'cilium-agent');
  await until('the agent is gone', 20, () =>
    onNode(worker, 'pgrep', '-x', 'cilium-agent').then(
      () => false,
      () => true,
    ),
  );
}

async function startAgent(): Promise<void> {
  await onNode(worker, 'systemctl', 'start', 'k3s-agent');
  await until('the agent has attached its program', 120, async () =>
    (await onNode(worker, 'ip', '-j', 'link', 'show', DEVICE)).includes('cil_xdp_entry'),
  );
  await until('the worker is ready', 90, async () => {
    const conditions = '{.status.conditions[?(@.type=="Ready")].status}';
    return (await kubectl('get', 'node', 'worker', '-o', `jsonpath=${conditions}`)) === 'True';
  });
  const agent = ['-n', 'kube-system', 'pods', '-l', 'k8s-app=cilium'];
  await until('its agent is ready', 90, async () => {
    const paths = 'jsonpath={.items[*].status.containerStatuses[0].ready}';
    return (await kubectl('get', ...agent, '-o', paths)) === 'true true';
  });
}

/** What is looked at is a cluster that works. */
beforeAll(async () => {
  if (missing !== undefined) return;
  const ended = await ciliumship(['ship'], { env });
  expect(ended.code, ended.stderr).toBe(0);
});

describe.skipIf(missing !== undefined)('doctor', () => {
  it('explains and matches without config, cluster or node', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'ciliumship-empty-'));
    const bare = {
      cwd,
      env: { PATH: process.env['PATH'], CILIUMSHIP_CONFIG: join(cwd, 'none.yaml') },
    };
    const explained = await ciliumship(['explain', 'E5'], bare);
    expect(explained.code, explained.stderr).toBe(0);
    expect(explained.stdout).toContain('what the hand procedure says');
    const matched = await ciliumship(
      ['doctor', '--match', 'cannot reuse a name that is still in use'],
      bare,
    );
    expect(matched.stdout).toMatch(/^E8 /);
    expect((await ciliumship(['explain', 'E33'], bare)).code).toBe(2);
  });

  it('N4: a mount over the bpffs is left alone under an agent', async () => {
    await onNode(worker, 'mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf');
    try {
      const refused = await doctor('--fix', 'N4', '--nodes', 'worker');
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('an agent runs');
    } finally {
      await onNode(worker, 'umount', '/sys/fs/bpf');
    }
  });

  it('E7: a namespace behind a dead API service ends once that is removed', async () => {
    await apply({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'metrics-server', namespace: 'kube-system' },
      },
    });
    try {
      await kubectl('create', 'namespace', 'cilium-secrets');
      await kubectl('delete', 'namespace', 'cilium-secrets', '--wait=false');
      await until('the namespace says why it stays', 60, async () =>
        (await doctor('E7')).stdout.includes('not available: v1beta1.metrics.k8s.io'),
      );
      await expectMended('E7', 'cilium-secrets: ');
    } finally {
      await kubectl('delete', 'apiservice', 'v1beta1.metrics.k8s.io', '--ignore-not-found');
      await kubectl('delete', 'namespace', 'cilium-secrets', '--ignore-not-found');
    }
  });
});

describe.skipIf(missing !== undefined)('doctor, on a node whose agent is gone', () => {
  beforeAll(stopAgent);
  afterAll(startAgent, 180_000);

  // An agent that runs would put the file aside itself.
  it('E14: moves a leftover configuration aside', async () => {
    const file = '/etc/cni/net.d/00-flannel.conflist';
    await onNode(worker, 'sh', '-c', `echo '{"name":"x"}' > ${file}`);
    try {
      await expectMended('E14', '00-flannel.conflist beside Cilium’s', '--nodes', 'worker');
    } finally {
      await onNode(worker, 'rm', '-rf', file, '/var/lib/cni/ciliumship-removed');
    }
  });

  it('N4: unmounts a second bpffs', async () => {
    await onNode(worker, 'mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf');
    await expectMended('N4', 'mounted 2 times', '--nodes', 'worker');
  });

  it('E1: takes an orphaned XDP link off its interface', async () => {
    const off = onNode(worker, 'ip', 'link', 'set', 'dev', DEVICE, 'xdp', 'off');
    const said = await off.catch(String);
    expect(said).toContain("Can't replace active BPF XDP link");
    expect((await doctor('--match', said)).stdout).toMatch(/^E1 /);
    await expectMended('E1', 'pinned at /sys/fs/bpf/cilium/devices', '--nodes', 'worker');
    expect(await onNode(worker, 'ip', '-j', 'link', 'show', DEVICE)).not.toContain('xdp');
  });
});

async function apply(object: object): Promise<void> {
  const file = `/tmp/${crypto.randomUUID()}.json`;
  const master = nodeNamed('master');
  await onNode(master, 'sh', '-c', 'printf %s "$2" > "$1"', 'write', file, JSON.stringify(object));
  await onNode(master, 'k3s', 'kubectl', 'apply', '-f', file);
  await onNode(master, 'rm', file);
}
