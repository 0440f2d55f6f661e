import { expect, test } from 'vitest';
import type { Run } from '../../../src/core/step.ts';
import { freeNodeStep, isCutOff } from '../../../src/deploy/free-node.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';

const RUN: Run = { signal: new AbortController().signal, progress: () => undefined };
const PIN = '/sys/fs/bpf/cilium/devices/eth1/links/cil_xdp_entry';
const LINK = '[{"ifname":"eth1","xdp":{"mode":1,"prog":{"name":"cil_xdp_entry"}}}]';
const apiServer = { host: '10.4.100.1', port: '6443' };

/** A node that is cut off as long as a program is on eth1. */
function cutNode(how: 'pinned' | 'without a link'): FakeNode {
  let attached = true;
  return fakeNode((command) => {
    if (command.includes(' timeout ')) return attached ? { code: 124 } : '';
    if (command.startsWith('find')) return attached && how === 'pinned' ? PIN : '';
    if (command === `rm -f -- ${PIN}` || command.endsWith('xdp off')) attached = false;
    return command.startsWith('ip -j') ? (attached ? LINK : '[]') : '';
  });
}

const silent = async (): Promise<string> => '1';

function stepOn(remote: FakeNode) {
  let beats = 0;
  return freeNodeStep({
    remote,
    apiServer,
    timeout: 5_000,
    heartbeat: async () => String(beats++),
  });
}

test.each([
  ['pinned', `sudo rm -f -- ${PIN}`],
  ['without a link', 'sudo ip link set dev eth1 xdp off'],
] as const)(
  'a node is freed of a program that is %s, its agent stopped first',
  async (how, act) => {
    const remote = cutNode(how);
    expect(await isCutOff({ remote, apiServer, heartbeat: silent }, RUN.signal, 1)).toBe(true);
    expect(await stepOn(remote).run(RUN)).toBe('worker');
    expect(await isCutOff({ remote, apiServer, heartbeat: silent }, RUN.signal, 1)).toBe(false);
    const done = remote.asked.filter((command) => /pkill|rm -f|xdp off/.test(command));
    expect(done).toEqual(['sudo pkill -STOP -x cilium-agent', act]);
  },
);

test.each([1, 124, 126, 127])(
  'a node whose kubelet is heard is not cut off, whatever the look at the address says (exit %d)',
  async (code) => {
    const remote = fakeNode(() => ({ code }));
    let beats = 0;
    const heartbeat = async (): Promise<string> => String(beats++);
    expect(await isCutOff({ remote, apiServer, heartbeat }, RUN.signal, 1)).toBe(false);
  },
);

test('a node that reaches the API server is left alone', async () => {
  const remote = fakeNode();
  expect(await stepOn(remote).done?.(RUN)).toBe('worker');
  expect(remote.asked).toHaveLength(1);
});

test('a node that stays cut off is named with the address that it does not reach', async () => {
  const remote = fakeNode((command) => (command.startsWith('ip') ? '[]' : { code: 1 }));
  const step = freeNodeStep({ remote, apiServer, timeout: 0, heartbeat: silent });
  await expect(step.run(RUN)).rejects.toMatchObject({
    kind: 'deploy',
    message: expect.stringContaining('10.4.100.1:6443') as string,
  });
});
