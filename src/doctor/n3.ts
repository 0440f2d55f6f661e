import { found, ok, onNodes, unknown, yours, type Problem } from './problem.ts';

/** Per cent at which the kubelet stops and begins to collect images. */
const LOW = 80;
const HIGH = 85;

function prune(node: string) {
  return yours({
    argv: ['ciliumship', 'images', 'prune', '--nodes', node],
    effect: 'removes shipped images that nothing needs; what else fills the disk is yours to find',
  });
}

export const n3: Problem = {
  id: 'N3',
  title: 'the disk is close to where the kubelet throws images away',
  patterns: [/diskpressure/i, /no space left on device/i, /evicted/i, /image.*threshold/i],
  known:
    'At 85 % the kubelet removes images that no container uses and are not pinned, until 80 % are in use. K3s begins to evict pods when less than 5 % is free. The kubelet counts all that is not free for everyone as used, so it is earlier than `df` suggests.',
  recognised:
    '80 % or more of the file system of /var/lib/rancher/k3s is in use, as the kubelet counts',
  example: prune('worker'),
  look: onNodes(({ diskUse, node }) => {
    if (diskUse === undefined) return unknown('df said nothing of /var/lib/rancher/k3s');
    const proof = `${diskUse} % in use, images go at ${HIGH} %`;
    return diskUse < LOW ? ok(proof) : found(proof, prune(node.name));
  }),
};
