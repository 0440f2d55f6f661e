import { found, ok, onNodes, unknown, type Problem } from './problem.ts';
import { isOurs, pushTo } from './push.ts';

export const n1: Problem = {
  id: 'N1',
  title: 'an image of ours has lost its pin',
  patterns: [/not pinned/i, /image garbage collect/i],
  known:
    'A pinned image (label `io.cri-containerd.pinned=pinned`) is left alone by the kubelet’s image collection. The label goes when someone imports the image again by hand or sets labels anew. While a pod uses the image nothing happens; after that it may go, and with pull policy Never no pod starts (K1). containerd 1.6 ignores the label.',
  recognised: 'the CRI lists an image of the config that is not pinned',
  example: pushTo('worker'),
  look: onNodes(({ images, machine, node }, view) => {
    if (images === undefined) return unknown('K3s’s containerd does not answer');
    if (machine.containerd?.startsWith('1.6.')) return unknown('containerd 1.6 shows no pins');
    const loose = images
      .filter(({ pinned }) => !pinned)
      .flatMap(({ names }) => names.filter((name) => isOurs(view.images, name)));
    if (loose.length === 0) return ok('every image of ours is pinned');
    return found(loose.join(', '), pushTo(node.name));
  }),
};
