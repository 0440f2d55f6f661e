import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import { PROBES, probeNode } from '../../../src/transfer/probe.ts';
import { fakeNode, type Answer, type FakeNode } from '../../support/fake-node.ts';
import { nodeData } from '../../support/node-data.ts';
import { RECORDED, recordedNode } from '../../support/recorded-node.ts';

const { signal } = new AbortController();

/** A node that answers as a real one did, but for one command. */
function nodeBut(command: readonly string[], answer: Answer): FakeNode {
  return fakeNode((asked) => ({ ...RECORDED, [command.join(' ')]: answer })[asked]);
}

describe('a probe', () => {
  test('brings together what the node’s own tools say', async () => {
    const store = await probeNode(recordedNode(), signal);
    expect(store.machine.machineId).toBe('5c1cba781a6c4e0d90075b60131dc7c8');
    expect(store).toMatchObject({
      platform: 'linux/amd64',
      containerd: '1.6.20',
      free: 69_100_572_672,
      zstd: true,
    });
    expect([store.content, store.images, store.checked].map(({ size }) => size)).toEqual([
      15, 15, 15,
    ]);
    expect(store.cri.length).toBeGreaterThan(3);
  });

  test('asks nothing but what sudo may be told to allow', async () => {
    const node = recordedNode();
    await probeNode(node, signal);
    const allowed = Object.values(PROBES).map((argv) => `sudo ${argv.join(' ')}`);
    expect(new Set(node.asked)).toEqual(new Set(allowed));
  });

  test.each([1, 126, 127])('takes exit code %i of zstd for a node without it', async (code) => {
    const node = nodeBut(['zstd', '--version'], { code });
    expect((await probeNode(node, signal)).zstd).toBe(false);
  });

  test('leaves open what it does not know of the machine', async () => {
    const strange = await probeNode(nodeBut(PROBES.architecture, 'riscv64\n'), signal);
    expect(strange.platform).toBeUndefined();
    const nameless = nodeBut(PROBES.machine, { code: 1, stdout: 'b-1\n', stderr: 'cat: no file' });
    const { machine } = await probeNode(nameless, signal);
    expect(machine).toEqual({ bootId: 'b-1', machineId: '' });
  });

  test('looks past one broken image, for which ctr exits with 1 after its table', async () => {
    const stdout = nodeData('ctr-1.6-images-check-broken.txt');
    const stderr = 'ctr: unable to check unpack for lab.example/gone:manifest: not found';
    const store = await probeNode(nodeBut(PROBES.check, { code: 1, stdout, stderr }), signal);
    expect(store.checked.get('lab.example/good:1')?.complete).toBe(true);
    expect(store.checked.get('lab.example/gone:manifest')?.complete).toBe(false);
  });

  test('fails when ctr exits with 1 and prints no table', async () => {
    const node = nodeBut(PROBES.check, { code: 1, stderr: 'ctr: context deadline exceeded' });
    await expect(probeNode(node, signal)).rejects.toMatchObject({ kind: 'storage' });
  });
});

test.each([
  ['says that it runs', { code: 3, stdout: 'active\ninactive\n' }],
  ['says that it is being started', { code: 3, stdout: 'inactive\nactivating\n' }],
  ['is not there', { code: 127, stderr: 'sh: systemctl: not found' }],
])('F24: containerd that was killed is waited for where systemd %s', async (_, service) => {
  let asked = 0;
  const node = fakeNode((command) => {
    if (command.startsWith('systemctl')) return service;
    const isDown = command === PROBES.version.join(' ') && (asked += 1) < 3;
    return isDown ? { code: 1, stderr: 'ctr: no such file' } : RECORDED[command];
  });
  await expect(probeNode(node, signal)).resolves.toMatchObject({ containerd: '1.6.20' });
  expect(asked).toBe(3);
});

describe('a node that cannot be probed says why:', () => {
  test('containerd is down', async () => {
    const stderr = 'ctr: failed to dial "/run/k3s/containerd/containerd.sock": timeout';
    const stdout = 'Client:\n  Version:  v2.1.4-k3s1\n';
    const stopped = { code: 3, stdout: 'inactive\ninactive\n' };
    const node = fakeNode((asked) => {
      if (asked.startsWith('systemctl')) return stopped;
      return asked.startsWith('k3s') ? { code: 1, stdout, stderr } : RECORDED[asked];
    });
    await expect(probeNode(node, signal)).rejects.toMatchObject({
      kind: 'storage',
      message: 'worker: containerd does not answer',
      details: [stderr],
      retryable: true,
    });
    expect(node.asked.filter((asked) => asked.includes('systemctl'))).toHaveLength(1);
  });

  test.each([
    [127, 'sh: 1: k3s: not found'],
    [1, 'sudo: k3s: command not found'],
  ])('K3s is not installed (exit code %i, %s)', async (code, stderr) => {
    const probing = probeNode(nodeBut(PROBES.version, { code, stderr }), signal);
    await expect(probing).rejects.toMatchObject({ message: 'worker: K3s is not installed' });
  });

  test('the connection is lost, which stays what it is', async () => {
    const lost = new ShipError('network', 'worker: connection lost', { retryable: true });
    await expect(probeNode(nodeBut(PROBES.cri, lost), signal)).rejects.toBe(lost);
  });
});
