import type { ShippedNode } from '../../src/commands/shared/shipped-node.ts';
import { digestOf } from '../../src/core/digest.ts';
import { digestName, type Blob, type BlobKind, type ShipImage } from '../../src/core/image.ts';
import type { Planning } from '../../src/transfer/plan.ts';
import { PINNED_LABEL, proofOf, qualified, type NodeStore } from '../../src/facts/node-store.ts';

export { digestOf };

/** Values of the program, made up of a few words so that tests stay readable. */

/** A blob whose bytes are `text`. */
export function blob(kind: BlobKind, text: string): Blob {
  return { kind, digest: digestOf(text), size: Buffer.byteLength(text) };
}

/** An image whose blobs are named by words; images that share a word share a layer. */
export function shipImage(key: string, layers: readonly string[]): ShipImage {
  const config = blob('config', `config of ${key} over ${layers.join()}`);
  const name = `quay.io/cilium/${key}:dev`;
  return {
    key,
    name,
    digestName: digestName(name, config.digest),
    platform: 'linux/amd64',
    manifest: blob('manifest', `manifest of ${key} over ${layers.join()}`),
    config,
    layers: layers.map((text) => blob('layer', text)),
  };
}

/** Plans without patches, over a link that nobody measured. */
export const PLANNING: Planning = {
  compression: 'auto',
  patch: 'never',
  canPatch: true,
  rate: undefined,
  earlier: new Map(),
  made: new Map(),
};

/** A node with containerd 1.7, zstd, a lot of space and nothing in its stores. */
export const EMPTY_NODE: NodeStore = {
  containerd: '1.7.23',
  content: new Set(),
  images: new Map(),
  checked: new Map(),
  cri: [],
  free: 100e9,
  zstd: true,
  patches: true,
  memory: 8e9,
  platform: 'linux/amd64',
  machine: { bootId: '', machineId: '' },
};

/** The same node with images on it as a whole push leaves them. */
export function nodeWith(images: readonly ShipImage[], more: Partial<NodeStore> = {}): NodeStore {
  const names = images.flatMap((image) =>
    [image.name, image.digestName].map((name) => [qualified(name), image.manifest.digest] as const),
  );
  const labels = new Map([[PINNED_LABEL, 'pinned']]);
  return {
    ...EMPTY_NODE,
    content: new Set(images.flatMap(({ layers }) => layers.map(({ digest }) => digest))),
    images: new Map(names.map(([ref, digest]) => [ref, { ref, digest, labels }])),
    checked: new Map(
      names.map(([ref, digest]) => [ref, { ref, digest, complete: true, unpacked: true }]),
    ),
    cri: images.map(({ name, digestName: second, config }) => ({
      id: config.digest,
      names: [qualified(name), qualified(second)],
      pinned: true as const,
      size: 0,
    })),
    ...more,
  };
}

/** A node that a push brought these images to, as 2 MB in one layer, and that proved them. */
export function shippedNode(
  node: string,
  images: readonly ShipImage[],
  more: Partial<ShippedNode> = {},
): ShippedNode {
  const store = nodeWith(images);
  return {
    node,
    state: 'shipped',
    sent: { bytes: 2_000_000, layers: 1, layerBytes: 1_999_000, kept: 0 },
    sentLayers: [],
    proofs: images.flatMap((image) => proofOf(store, image) ?? []),
    ...more,
  };
}
