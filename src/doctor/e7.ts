import { deadOf, removeApis } from './api-services.ts';
import { found, ok, onCluster, yours, type Problem } from './problem.ts';

export const e7: Problem = {
  id: 'E7',
  title: 'a namespace stays in Terminating',
  patterns: [
    /because it is being terminated/i,
    /unable to create new content in namespace/i,
    /stuck in terminating/i,
    /NamespaceDeletionDiscoveryFailure/,
    /stale groupversion discovery/i,
  ],
  document:
    'After `helm uninstall` the namespace cilium-secrets hangs. Remove its finalizers, with `kubectl patch` and `kubectl replace --raw …/finalize`.',
  known:
    'The API server deletes a namespace only when it could list everything in it. K3s’s metrics-server lost its network with the CNI, so `v1beta1.metrics.k8s.io` answers nobody and the listing never ends. Without that API service the namespace goes by itself; K3s brings it back when it starts. The document’s `kubectl patch` changes nothing, as finalizers change through `/finalize` only, and that leaves what was in the namespace behind: the last resort.',
  recognised: 'a namespace is terminating and says why, and an API service is not available',
  example: removeApis(['v1beta1.metrics.k8s.io']),
  look: onCluster(({ namespaces, apiServices }) => {
    const stuck = namespaces.filter(({ terminating, stuck: why }) => terminating && why !== '');
    if (stuck.length === 0) return ok('no namespace is stuck');
    const proof = stuck.map(({ name, stuck: why }) => `${name}: ${why}`).join('; ');
    const dead = deadOf(apiServices).map(({ name }) => name);
    if (dead.length > 0)
      return found(`${proof}; not available: ${dead.join(', ')}`, removeApis(dead));
    const [first] = stuck;
    return found(
      proof,
      yours({
        argv: ['kubectl', 'get', 'namespace', first?.name ?? '', '-o', 'yaml'],
        effect: 'its conditions name what is left in it, and which finalizers wait',
      }),
    );
  }),
};
