import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyToNode } from '../../lab/nodes.ts';
import { buildProgram } from '../../lab/programs.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { startAgent, stopAgent } from '../support/agent-of-worker.ts';
import { commandOf, look, statesOf } from '../support/found.ts';
import { apply, kubectl, labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();
const worker = nodeNamed('worker');
const DEVICE = worker.dataInterface;

/** As of a metrics-server whose pods have no network any more. */
const DEAD_API = {
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
};

function doctor(...args: readonly string[]): Promise<Ended> {
  return ciliumship(['doctor', ...args], { env });
}

/** Sees a problem, mends it, and sees it gone. */
async function expectMended(id: string, proof: string, ...more: readonly string[]): Promise<void> {
  const only = more.filter((word) => word !== '--confirm' && word !== 'cluster');
  const found = await doctor(id, ...only);
  expect(found.code, found.stderr).toBe(3);
  expect(found.stdout).toContain(proof);
  const dry = await doctor('--fix', id, ...more, '--dry-run');
  expect(dry.code, dry.stderr).toBe(0);
  expect((await doctor(id, ...only)).code).toBe(3);
  const fixed = await doctor('--fix', id, ...more);
  expect(fixed.code, fixed.stderr).toBe(0);
  const again = await doctor(id, ...only);
  expect(again.code, again.stdout).toBe(0);
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

  it('N6: an API service that nobody answers for is removed, for whom confirms it', async () => {
    await apply(DEAD_API);
    try {
      await until('it is not available', 30, async () => (await doctor('N6')).code === 3);
      const unnamed = await doctor('--fix', 'N6');
      expect(unnamed.code, unnamed.stderr).toBe(2);
      await expectMended('N6', 'v1beta1.metrics.k8s.io: ', '--confirm', 'cluster');
    } finally {
      await kubectl('delete', 'apiservice', 'v1beta1.metrics.k8s.io', '--ignore-not-found');
    }
  });

  it('E7: a namespace behind a dead API service ends once that is removed', async () => {
    await apply(DEAD_API);
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

const PINS = `/sys/fs/bpf/cilium/devices/${DEVICE}/links`;
const OLDER = '/sys/fs/bpf/doctor-older';
/** Of a link that is not in Cilium's folder: doctor knows it by its id alone. */
const LOOSE = '/sys/fs/bpf/doctor-loose';
const STRAY = '00-flannel.conflist';

/** Attaches a program that lets all pass, as an agent leaves it: held by its pin alone. */
function attach(device: string, hook: string, program: string, pin: string): Promise<string> {
  return onNode(worker, '/root/tcx', device, hook, program, pin);
}

/** Where the node looks for bpftool first, and what tells two runs of it apart. */
const WRAPPER = '/usr/local/sbin/bpftool';
const MARK = '/run/doctor-detached';

/** Does something before the bpftool of the worker detaches a link. */
async function inFrontOfBpftool(script: string): Promise<void> {
  const real = 'exec /usr/sbin/bpftool "$@"';
  const text = `#!/bin/sh\ncase "$*" in "link detach"*) ${script} ;; esac\n${real}\n`;
  const write = `printf %s "$1" > ${WRAPPER}; chmod 0755 ${WRAPPER}`;
  await onNode(worker, 'sh', '-c', write, 'write', text);
}

/** Ids of the links that are at the hooks of the data interface. */
async function linkIds(): Promise<readonly string[]> {
  const net = await onNode(worker, 'bpftool', 'net', 'list', 'dev', DEVICE);
  return [...net.matchAll(/cil_.* link_id ([0-9]+)/g)].map(([, id = '']) => id);
}

const onWorker = ['--nodes', 'worker'] as const;

describe.skipIf(missing !== undefined)('doctor, on a node whose agent is gone', () => {
  beforeAll(async () => {
    await stopAgent();
    const folder = await buildProgram('tcx', () => undefined);
    await copyToNode(worker, join(folder, 'tcx'), '/root/tcx');
  });
  afterAll(async () => {
    const made = ['/root/tcx', OLDER, LOOSE, `${LOOSE}-egress`, WRAPPER, MARK, `${MARK}-held`];
    await onNode(worker, 'rm', '-rf', ...made, '/var/lib/cni/ciliumship-removed');
    await startAgent();
  }, 180_000);

  it('E1: takes Linux at its word about an orphaned XDP link', async () => {
    const off = onNode(worker, 'ip', 'link', 'set', 'dev', DEVICE, 'xdp', 'off');
    const said = await off.catch(String);
    expect(said).toContain("Can't replace active BPF XDP link");
    expect((await doctor('--match', said)).stdout).toMatch(/^E1 /);
  });

  it('E1, E2, E14, N5: mends a node that its agent left: links, a link twice, a file', async () => {
    await attach(DEVICE, 'ingress', 'cil_from_netdev', OLDER);
    await attach(DEVICE, 'ingress', 'cil_from_netdev', `${PINS}/cil_from_netdev`);
    await attach(DEVICE, 'egress', 'cil_to_netdev', `${PINS}/cil_to_netdev`);
    // An agent that runs would put the file aside itself.
    await onNode(worker, 'sh', '-c', `echo '{"name":"x"}' > /etc/cni/net.d/${STRAY}`);
    const ids = ['N5', 'E2', 'E1', 'E14'] as const;
    const found = await look(ids, env, ...onWorker);
    expect(statesOf(found)).toEqual(['E1 found', 'E14 found', 'E2 found', 'N5 found']);
    expect(found.get('N5')?.proof).toMatch(
      /^eth1 tcx\/ingress cil_from_netdev: link [0-9]+ beside a newer one$/,
    );
    expect(found.get('E2')?.proof).toContain('cil_to_netdev (tcx/egress), no agent runs');
    expect(found.get('E1')?.proof).toContain(`pinned at ${PINS}/cil_xdp_entry`);
    expect(found.get('E14')?.proof).toContain(`${STRAY} beside Cilium’s`);

    const unnamed = await doctor('--fix', 'E2', ...onWorker);
    expect(unnamed.code).toBe(2);
    expect(unnamed.stderr).toContain('ciliumship doctor --fix E2 --confirm worker');
    const fixed = await doctor('--fix', ...ids, ...onWorker, '--confirm', 'worker');
    expect(fixed.code, fixed.stderr).toBe(0);
    expect(fixed.stdout).toContain('0 found, 4 ok');
    const net = await onNode(worker, 'bpftool', 'net', 'list', 'dev', DEVICE);
    expect(net).not.toContain('cil_');
    expect(await onNode(worker, 'ip', '-j', 'link', 'show', DEVICE)).not.toContain('xdp');
    expect(await onNode(worker, 'find', PINS, '-type', 'f')).toBe('');
  });

  it('F46: takes a link off that got another id between the look and the act', async () => {
    await attach(DEVICE, 'ingress', 'cil_from_netdev', LOOSE);
    const before = await linkIds();
    // At the first detach another link takes its place: the id that was listed is of none now.
    const replace = `rm ${LOOSE}; /root/tcx ${DEVICE} ingress cil_from_netdev ${LOOSE}`;
    await inFrontOfBpftool(
      `echo "$4" >> ${MARK}; [ "$(wc -l < ${MARK})" != 1 ] || { ${replace}; }`,
    );
    const fixed = await doctor('--fix', 'E2', ...onWorker, '--confirm', 'worker');
    const [first, second, ...more] = (await onNode(worker, 'cat', MARK)).split('\n');
    await onNode(worker, 'rm', '-f', WRAPPER, MARK, LOOSE);
    expect(fixed.code, fixed.stderr).toBe(0);
    expect([first, ...more]).toEqual(before);
    expect(Number(second)).toBeGreaterThan(Number(first));
    expect(await linkIds()).toEqual([]);
  });

  it('F45: a fix whose SSH or whose own process died half way is taken up by the next', async () => {
    const mend = ['--fix', 'E2', ...onWorker, '--confirm', 'worker', '--lock-wait', '60s'] as const;
    for (const end of ['ssh', 'process'] as const) {
      await attach(DEVICE, 'ingress', 'cil_from_netdev', LOOSE);
      await attach(DEVICE, 'egress', 'cil_to_netdev', `${LOOSE}-egress`);
      // The second detach stands still until the mark is gone, and then does nothing.
      await inFrontOfBpftool(
        `[ ! -e ${MARK} ] || { while [ -e ${MARK} ]; do touch ${MARK}-held; sleep 0.1; done; exit 1; }; touch ${MARK}`,
      );
      const held = until('the second one is held', 60, () =>
        onNode(worker, 'test', '-e', `${MARK}-held`).then(
          () => true,
          () => false,
        ),
      );
      const stop = new AbortController();
      const cut = ciliumship(['doctor', ...mend], { env, killOn: stop.signal });
      await held;
      if (end === 'process') stop.abort();
      else await onNode(worker, 'pkill', '-9', '-u', 'admin', '-x', 'sshd');
      const ended = await cut;
      expect(ended.code, ended.stderr).toBe(end === 'ssh' ? 5 : -1);
      await onNode(worker, 'sh', '-c', `rm -f ${WRAPPER} ${MARK} ${MARK}-held`);
      expect(await linkIds(), end).toHaveLength(1);

      const again = await doctor(...mend);
      expect(again.code, again.stderr).toBe(0);
      expect(await linkIds()).toEqual([]);
      await onNode(worker, 'rm', LOOSE, `${LOOSE}-egress`);
    }
  });

  it('F47, D21: leaves the interface of our own SSH session alone', async () => {
    const pin = '/sys/fs/bpf/cilium/devices/em2/links/cil_from_netdev';
    await attach('em2', 'ingress', 'cil_from_netdev', pin);
    try {
      const refused = await doctor('--fix', 'E2', ...onWorker, '--confirm', 'worker');
      expect(refused.code, refused.stderr).toBe(2);
      expect(refused.stderr).toContain('em2 carries our own SSH session and is left alone');
      expect(refused.stderr).toContain('ciliumship explain E15');
      expect(await onNode(worker, 'bpftool', 'net', 'list', 'dev', 'em2')).toContain('cil_');
    } finally {
      await onNode(worker, 'rm', '-r', '/sys/fs/bpf/cilium/devices/em2');
    }
  });

  it('N3: sees a disk that is nearly full, and nothing once there is room', async () => {
    // Over the folder of a K3s that is stopped, so that nothing of it is touched.
    const data = '/var/lib/rancher/k3s';
    await onNode(worker, 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', data);
    try {
      await onNode(worker, 'dd', 'if=/dev/zero', `of=${data}/full`, 'bs=1k', 'count=900');
      const seen = await look(['N3'], env, ...onWorker);
      // images.test.ts runs it on a cluster.
      expect(commandOf(seen, 'N3')).toBe('ciliumship images prune --nodes worker');
      const found = seen.get('N3');
      expect(`${found?.state}: ${found?.proof}`).toMatch(/^found: (8[5-9]|9\d) % in use/);
      await onNode(worker, 'rm', `${data}/full`);
      expect((await look(['N3'], env, ...onWorker)).get('N3')?.state).toBe('ok');
    } finally {
      await onNode(worker, 'umount', data);
    }
  });

  it('N4: unmounts a second bpffs', async () => {
    await onNode(worker, 'mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf');
    await expectMended('N4', 'mounted 2 times', ...onWorker);
  });
});
