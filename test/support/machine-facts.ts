import { parseLinks } from '../../src/facts/links.ts';
import type { NodeFacts } from '../../src/facts/node-facts.ts';
import { nodeData } from './node-data.ts';

/** What the lab's worker is, on a machine with cgroup v2, with some of it changed. */
export function machineFacts(change: Partial<NodeFacts> = {}): NodeFacts {
  return {
    node: 'worker',
    os: { name: 'Debian GNU/Linux 12 (bookworm)', kernel: '6.8.0-31-generic' },
    cgroup: 'cgroup2fs',
    bpfMounts: ['/sys/fs/bpf'],
    clockAhead: 0,
    k3s: 'v1.34.4+k3s1',
    containerd: '1.7.24',
    links: parseLinks(nodeData('ip-addr.txt')),
    drivers: new Map([['eth1', 'veth']]),
    speeds: new Map([['eth1', 10_000]]),
    merging: new Map([['eth1', { gro: true, lro: undefined }]]),
    sshInterface: 'em2',
    free: 70e9,
    tools: new Set(['ip', 'iptables', 'sha256sum', 'tar', 'zstd']),
    kubeProxy: false,
    traces: [],
    ...change,
  };
}
