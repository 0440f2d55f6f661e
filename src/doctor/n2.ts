import { found, ok, onNodes, podsOn, unknown, NO_CLUSTER, type Problem } from './problem.ts';
import { isListed, isOurs, pushTo } from './push.ts';

export const n2: Problem = {
  id: 'N2',
  title: 'an image that pods of the node name is no longer there',
  patterns: [/image.*(removed|collected|pruned)/i, /deleting image/i],
  known:
    'The kubelet collected it, or someone removed it: `crictl rmi --prune` takes everything that no container runs on. Pods that run go on, because their files are unpacked; the next one that starts fails (K1), a reboot later perhaps.',
  recognised: 'a pod names an image of the config that the CRI does not list',
  example: pushTo('worker'),
  look: onNodes((node, { cluster, images: ours }) => {
    if (cluster === undefined) return unknown(NO_CLUSTER);
    if (node.images === undefined) return unknown('K3s’s containerd does not answer');
    const listed = node.images.flatMap(({ names }) => names);
    const named = podsOn(cluster, node).flatMap(({ containers }) =>
      containers.map(({ image }) => image).filter((image) => isOurs(ours, image)),
    );
    const gone = [...new Set(named)].filter((image) => !isListed(listed, image));
    if (gone.length === 0) return ok('what pods name is there');
    return found(gone.join(', '), pushTo(node.node.name));
  }),
};
