import { found, ok, onNodes, type Fix, type Problem } from './problem.ts';
import { isOurs, pushTo } from './push.ts';

const EXAMPLE = pushTo('worker');

export const k2: Problem = {
  id: 'K2',
  title: 'an image was imported into a containerd that K3s does not use',
  patterns: [/\/run\/containerd\/containerd\.sock/, /image not visible/i, /\bctr\b.*not found/i],
  document:
    'K3s has a containerd of its own; a bare `ctr` talks to another. Use `k3s ctr` for everything that pods should see.',
  known:
    'Right. `k3s ctr` knows both the socket and the namespace, so `-n k8s.io` is not needed with it. What a bare `ctr` imported does no harm and takes room: the image has to come again to the right place.',
  recognised: 'the containerd behind /run/containerd/containerd.sock has an image of the config',
  example: EXAMPLE,
  look: onNodes(({ node, otherImages, images }, view) => {
    const strays = otherImages.filter((name) => isOurs(view.images, name));
    if (strays.length === 0) return ok('no other containerd has an image of ours');
    const here = new Set(images?.flatMap(({ names }) => names));
    const lost = strays.filter((name) => !here.has(name));
    if (lost.length === 0) return ok(`${strays.join(', ')} is there, and in K3s’s own too`);
    const fix: Fix = pushTo(node.name);
    return found(`only in /run/containerd/containerd.sock: ${lost.join(', ')}`, fix);
  }),
};
