import { isBuildOf, type RunningId } from '../../core/image.ts';
import { kubernetesName, type Node } from '../../core/node.ts';
import type { Pod } from '../../deploy/cluster.ts';
import { knownBy, qualified, type NodeImages } from '../../facts/node-store.ts';

/** One image on one node. */
export interface StatusRow {
  readonly node: string;
  readonly image: string;
  /** Config digest of what the node has under the name. */
  readonly onNode: string | undefined;
  /** Config digests of what containers of this image run there. */
  readonly running: readonly string[];
  readonly pods: readonly string[];
  readonly state: 'ok' | 'behind' | 'not ready' | 'no pod here' | 'missing' | 'unknown';
}

/** What a node has under the name of an image, and what containers of it run there. */
export function statusRow(
  node: Node,
  image: string,
  pods: readonly Pod[] | undefined,
  store: NodeImages | undefined,
): StatusRow {
  const own = pods
    ?.filter((pod) => pod.node === kubernetesName(node))
    .flatMap((pod) =>
      pod.containers
        .filter((container) => isBuildOf(container.image, image))
        .map((container) => ({
          ...knownBy(store, container),
          pod: pod.name,
          ready: pod.ready,
        })),
    );
  const onNode = store?.cri.find(({ names }) => names.includes(qualified(image)))?.id;
  return {
    node: node.name,
    image,
    onNode,
    running: [...new Set((own ?? []).flatMap(({ imageId }) => imageId ?? []))],
    pods: (own ?? []).map(({ pod }) => pod),
    state: stateOf(own, onNode, store),
  };
}

function stateOf(
  own: readonly (RunningId & { readonly ready: boolean })[] | undefined,
  onNode: string | undefined,
  store: NodeImages | undefined,
): StatusRow['state'] {
  if (store === undefined) return 'unknown';
  if (onNode === undefined) return 'missing';
  if (own === undefined) return 'unknown';
  if (own.length === 0) return 'no pod here';
  const others = own.filter(({ imageId }) => imageId !== undefined && imageId !== onNode);
  if (others.some(({ byManifest }) => byManifest !== true)) return 'behind';
  if (!own.every(({ ready }) => ready)) return 'not ready';
  // By a manifest that the node does not know: it may hold the same.
  return others.length === 0 ? 'ok' : 'unknown';
}
