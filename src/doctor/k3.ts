import { found, ok, onNodes, podsOn, unknown, yours, NO_CLUSTER, type Problem } from './problem.ts';
import { isListed, isOurs } from './push.ts';

const DEPLOY = yours({
  argv: ['ciliumship', 'deploy'],
  effect: 'names the images by their digests, so that every pod with other bytes is replaced',
});

export const k3: Problem = {
  id: 'K3',
  title: 'a pod runs other bytes than its node has under that name',
  patterns: [/keeps? (the )?old image/i, /old binary/i, /same tag/i],
  document:
    'After a rebuild under the same tag the old archive is still on the nodes, and pull policy Never prevents a refresh. Run the whole pipeline again.',
  known:
    'Pull policy Never does not freeze anything: a pod that is made anew starts from whatever the name points at. But `helm upgrade` with the same manifest makes no pod anew. ciliumship deploys each image under a name with its digest: a new image is a new manifest. Its `DIGEST` in `ctr images ls` is the manifest’s, and never equals a pod’s imageID, which is the config’s.',
  recognised: 'the image id of a container differs from what the CRI lists under the same name',
  example: DEPLOY,
  look: onNodes((node, { cluster, images: ours }) => {
    if (cluster === undefined) return unknown(NO_CLUSTER);
    const { images } = node;
    if (images === undefined) return unknown('K3s’s containerd does not answer');
    const stale = podsOn(cluster, node).flatMap(({ name, containers }) =>
      containers
        .filter(({ image, imageId, byManifest }) => {
          const now = images.find(({ names }) => isListed(names, image));
          if (!isOurs(ours, image) || imageId === undefined || now === undefined) return false;
          // A manifest that the node knows no image of may be one of the same.
          const id = images.find(({ digests }) => digests?.includes(imageId))?.id;
          return now.id !== (id ?? (byManifest === true ? now.id : imageId));
        })
        .map(({ image }) => `${name} runs an earlier ${image}`),
    );
    return stale.length === 0 ? ok('pods run what the node has') : found(stale.join(', '), DEPLOY);
  }),
};
