import { isDigest, type Digest } from '../core/digest.ts';
import { totalSize, type ShipImage } from '../core/image.ts';
import { qualified, type NodeStore } from './node-store.ts';

/** What a node had of some images before anything was sent to it. */
export interface Had {
  /** Layers of the images that were there, each once, and their bytes uncompressed. */
  readonly layers: number;
  readonly bytes: number;
  /** Config digest that the node had under the name of each image, by the key of the image. */
  readonly configs: Readonly<Record<string, Digest>>;
}

export function hadBefore(store: NodeStore, images: readonly ShipImage[]): Had {
  const layers = new Map(
    images.flatMap((image) => image.layers).map((blob) => [blob.digest, blob]),
  );
  const there = [...layers.values()].filter(({ digest }) => store.content.has(digest));
  const configs = images.flatMap(({ key, name }) => {
    const id = store.cri.find(({ names }) => names.includes(qualified(name)))?.id ?? '';
    return isDigest(id) ? [[key, id] as const] : [];
  });
  return { layers: there.length, bytes: totalSize(there), configs: Object.fromEntries(configs) };
}
