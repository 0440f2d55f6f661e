import { describe, expect, test } from 'vitest';
import { hasNativeXdp } from '../../../src/facts/drivers.ts';
import { tracesOf } from '../../../src/facts/leftovers.ts';
import { parseLinks } from '../../../src/facts/links.ts';
import { readNodeFacts } from '../../../src/facts/node-facts.ts';
import { parseBpfMounts, parseOsName, parseSshAddress } from '../../../src/facts/system.ts';
import { fakeNode, type Answer } from '../../support/fake-node.ts';
import { nodeData } from '../../support/node-data.ts';

const NEVER = new AbortController().signal;
const ANSWERS: Readonly<Record<string, Answer>> = {
  'ip -j -d addr': nodeData('ip-addr.txt'),
  'cat /etc/os-release': nodeData('os-release.txt'),
  'uname -r': '6.8.0-31-generic\n',
  'cat /proc/mounts': 'proc /proc proc rw 0 0\nbpf /sys/fs/bpf bpf rw 0 0\n',
  'df -P -B1 /var/lib': nodeData('df.txt'),
  'ethtool -i eth1': 'driver: i40e\nversion: 6.8.0\n',
  'ethtool -k eth1': nodeData('ethtool-k-veth.txt'),
  'find /sys/fs/bpf/cilium -path */links/* -type f':
    '/sys/fs/bpf/cilium/devices/eth1/links/cil_xdp_entry\n',
};

function answer(command: string): Answer {
  if (command.endsWith('SSH_CONNECTION"')) return '10.112.0.1 40000 10.112.0.12 22\n';
  if (command.startsWith('grep -sH .')) return '/sys/class/net/eth1/speed:10000\n';
  if (command.includes('command -v')) return 'ip\ntar\n';
  if (command.startsWith('date')) return `${Math.floor(Date.now() / 1000) + 60}\n`;
  return ANSWERS[command] ?? { code: 127, stderr: 'not found' };
}

describe('the facts of a machine', () => {
  test('are what its tools say, before K3s is installed', async () => {
    const facts = await readNodeFacts(fakeNode(answer), NEVER);
    expect(facts.os).toEqual({
      name: 'Debian GNU/Linux 12 (bookworm)',
      kernel: '6.8.0-31-generic',
    });
    expect(facts.k3s).toBeUndefined();
    expect(facts.containerd).toBeUndefined();
    expect(facts.sshInterface).toBe('em2');
    expect([...facts.drivers]).toEqual([['eth1', 'i40e']]);
    // A veth has no switch for LRO.
    expect([...facts.merging]).toEqual([['eth1', { gro: false, lro: undefined }]]);
    expect([...facts.speeds]).toEqual([['eth1', 10_000]]);
    expect(facts.free).toBeGreaterThan(1e9);
    expect(facts.bpfMounts).toEqual(['/sys/fs/bpf']);
    expect(facts.traces).toEqual([
      { cni: 'cilium', what: '/sys/fs/bpf/cilium/devices/eth1/links/cil_xdp_entry' },
    ]);
  });

  test('do not wait for a containerd whose socket is not there', async () => {
    const stopped = fakeNode((command) =>
      command.startsWith('test -S') ? { code: 1 } : answer(command),
    );
    expect((await readNodeFacts(stopped, NEVER)).containerd).toBeUndefined();
    expect(stopped.asked.join('\n')).not.toContain('ctr');
    const version = nodeData('ctr-1.6-version.txt');
    const runs = fakeNode((command) => {
      if (command.startsWith('test -S')) return '';
      return command.startsWith('k3s ctr') ? version : answer(command);
    });
    expect((await readNodeFacts(runs, NEVER)).containerd).toBe('1.6.20');
  });

  test('say how far its clock is ahead, less what asking took', async () => {
    const { clockAhead } = await readNodeFacts(fakeNode(answer), NEVER);
    expect(clockAhead).toBeGreaterThan(50);
    expect(clockAhead).toBeLessThanOrEqual(60);
  });

  test('need ip', async () => {
    const node = fakeNode((command) => (command.startsWith('ip') ? 'not json' : answer(command)));
    await expect(readNodeFacts(node, NEVER)).rejects.toMatchObject({ kind: 'storage' });
  });
});

describe('what tools print', () => {
  test('ip -j -d addr gives addresses, carrier and kind', () => {
    const eth1 = parseLinks(nodeData('ip-addr.txt')).find(({ name }) => name === 'eth1');
    expect(eth1).toMatchObject({
      up: true,
      carrier: true,
      kind: 'veth',
      queues: 2,
      addresses: ['10.111.100.2/16'],
    });
  });

  test('a port without cable has no carrier', () => {
    const text = '[{"ifname":"eth3","flags":["NO-CARRIER","BROADCAST","UP"],"mtu":1500}]';
    expect(parseLinks(text)[0]).toMatchObject({ up: true, carrier: false, kind: undefined });
  });

  test('/proc/mounts shows each bpffs, one over another too', () => {
    const mounts = 'bpf /sys/fs/bpf bpf rw 0 0\nnone /sys/fs/bpf bpf rw 0 0\n';
    expect(parseBpfMounts(mounts)).toEqual(['/sys/fs/bpf', '/sys/fs/bpf']);
  });

  test('os-release and SSH_CONNECTION may say nothing', () => {
    expect(parseOsName('')).toBe('unknown');
    expect(parseSshAddress('\n')).toBeUndefined();
  });
});

describe('native XDP', () => {
  test.each([
    ['i40e', '6.8.0', true],
    ['i40e', '4.12.14', false],
    ['E15: tg3', '6.8.0', false],
    ['veth', '6.18.44', true],
    ['ice', '5.10.0', true],
  ])('%s on %s: %s', (driver, kernel, native) => {
    expect(hasNativeXdp(driver.replace('E15: ', ''), kernel)).toBe(native);
  });
});

describe('traces of a CNI', () => {
  const links = parseLinks('[{"ifname":"cilium_host"},{"ifname":"flannel.1"},{"ifname":"eth0"}]');

  test('are its interfaces, files and pins', () => {
    const traces = tracesOf(links, ['05-cilium.conflist', '10-flannel.conflist.cilium_bak'], []);
    expect(traces.map(({ cni, what }) => `${cni} ${what}`)).toEqual([
      'cilium cilium_host',
      'flannel flannel.1',
      'cilium /etc/cni/net.d/05-cilium.conflist',
    ]);
  });
});
