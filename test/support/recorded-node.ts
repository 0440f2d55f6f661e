import { PROBES } from '../../src/transfer/probe.ts';
import { fakeNode, type Answer, type FakeNode } from './fake-node.ts';
import { nodeData } from './node-data.ts';

/** What a node with containerd 1.6 printed, by the command that asked it. */
export const RECORDED: Readonly<Record<string, Answer>> = {
  [PROBES.version.join(' ')]: nodeData('ctr-1.6-version.txt'),
  [PROBES.content.join(' ')]: nodeData('ctr-1.6-content-ls.txt'),
  [PROBES.images.join(' ')]: nodeData('ctr-1.6-images-ls.txt'),
  [PROBES.check.join(' ')]: nodeData('ctr-1.6-images-check.txt'),
  [PROBES.cri.join(' ')]: nodeData('crictl-images.txt'),
  [PROBES.free.join(' ')]: nodeData('df.txt'),
  [PROBES.zstd.join(' ')]: '*** Zstandard CLI v1.5.4 ***',
  [PROBES.memory.join(' ')]: 'MemTotal:       16384000 kB\nMemAvailable:    8192000 kB\n',
  [PROBES.architecture.join(' ')]: 'x86_64\n',
  [PROBES.machine.join(' ')]:
    '4ea21cd7-6e3b-44e0-a6b5-5f6b5a8b1d0f\n5c1cba781a6c4e0d90075b60131dc7c8\n',
};

/** A node that answers as a real one did. */
export function recordedNode(): FakeNode {
  return fakeNode((asked) => RECORDED[asked]);
}
