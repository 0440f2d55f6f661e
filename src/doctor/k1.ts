import { found, ok, onNodes, podsOn, unknown, NO_CLUSTER, type Problem } from './problem.ts';
import { pushTo } from './push.ts';

const WAITING = /^(ErrImageNeverPull|ErrImagePull|ImagePullBackOff)$/;

export const k1: Problem = {
  id: 'K1',
  title: 'a pod waits for an image that its node does not have',
  patterns: [
    /errimageneverpull/i,
    /imagepullbackoff/i,
    /is not present with pull policy of never/i,
  ],
  document:
    'A pod was made before the import was done, or on a node where it never was. Import again and delete the pod.',
  known:
    'Right, and there is a second cause: the kubelet’s image collection removes what no container uses when the disk fills up, unless it is pinned (N1, N3). `k3s ctr images import` does not pin; ciliumship does. The kubelet looks again by itself once the image is there: deleting the pod only saves the waiting.',
  recognised:
    'a container on the node waits with ErrImageNeverPull, ErrImagePull or ImagePullBackOff',
  example: pushTo('worker'),
  look: onNodes((node, { cluster }) => {
    if (cluster === undefined) return unknown(NO_CLUSTER);
    const waiting = podsOn(cluster, node).flatMap(({ name, containers, initContainers }) =>
      [...initContainers, ...containers]
        .filter(({ waiting: reason }) => WAITING.test(reason ?? ''))
        .map(({ image, waiting: reason }) => `${name}: ${reason} ${image}`),
    );
    if (waiting.length === 0) return ok('no pod waits for an image');
    return found(waiting.join(', '), pushTo(node.node.name));
  }),
};
