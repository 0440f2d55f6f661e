import { ShipError } from '../core/errors.ts';
import { blobsOf, totalSize, type Blob, type ShipImage } from '../core/image.ts';
import { isProved, proofOf, type NodeStore } from '../facts/node-store.ts';

/** How a layer travels. Configs and manifests are a few kilobytes and travel as they are. */
export type WireForm = 'zstd' | 'gzip' | 'plain';

/** What to do on one node. */
export interface NodePlan {
  readonly node: string;
  /** Images that the node has not proved yet. */
  readonly images: readonly ShipImage[];
  /** Blobs that the node lacks, each once. */
  readonly send: readonly SendBlob[];
  /** Blobs that the node has, each once. */
  readonly present: readonly Blob[];
}

export interface SendBlob {
  readonly blob: Blob;
  readonly form: WireForm;
}

/** Below this much free space containerd and the kubelet get into trouble of their own. */
const RESERVE = 256 * 1024 * 1024;

/**
 * Compares the images with what a node has. Config and manifest of an image that is not proved are
 * always sent: they are small, and the import needs them.
 *
 * @param compression `auto` is zstd where the node has it
 * @throws ShipError `storage` when the node has no room for the layers, `config` for another platform
 */
export function planNode(
  node: string,
  images: readonly ShipImage[],
  store: NodeStore,
  compression: 'auto' | 'zstd' | 'gzip',
): NodePlan {
  requirePlatform(node, images, store);
  const open = images.filter((image) => !isProved(proofOf(store, image)));
  const blobs = [...new Map(open.flatMap(blobsOf).map((blob) => [blob.digest, blob])).values()];
  const isPresent = (blob: Blob): boolean =>
    blob.kind === 'layer' && store.content.has(blob.digest);
  const layerForm = (): WireForm => wireForm(node, store, compression);
  const send = blobs
    .filter((blob) => !isPresent(blob))
    .map((blob) => ({ blob, form: blob.kind === 'layer' ? layerForm() : ('plain' as const) }));
  requireSpace(node, send, store.free);
  return { node, images: open, send, present: blobs.filter(isPresent) };
}

/** @throws ShipError `config` before anything is sent to a machine that cannot run it */
function requirePlatform(node: string, images: readonly ShipImage[], store: NodeStore): void {
  const other = images.find(({ platform }) => platform !== store.platform);
  if (store.platform === undefined || other === undefined) return;
  throw new ShipError(
    'config',
    `${node} is ${store.platform}, ${other.name} is ${other.platform}`,
    {
      hint: 'nodes of several platforms in one config are not supported; set platform to that of all nodes',
    },
  );
}

function wireForm(node: string, store: NodeStore, wanted: 'auto' | 'zstd' | 'gzip'): WireForm {
  if (wanted === 'gzip' || (wanted === 'auto' && !store.zstd)) return 'gzip';
  if (store.zstd) return 'zstd';
  throw new ShipError(
    'config',
    `${node}: transfer.compression is zstd, but zstd is not installed`,
    {
      hint: `install zstd on ${node}, or set transfer.compression: auto`,
    },
  );
}

/** Received, decoded, in the content store and unpacked: at most four copies exist at a time. */
function requireSpace(node: string, send: readonly SendBlob[], free: number): void {
  const size = totalSize(send.map(({ blob }) => blob));
  const needed = size === 0 ? 0 : 4 * size + RESERVE;
  if (needed <= free) return;
  throw new ShipError(
    'storage',
    `${node}: ${gigabytes(free)} free under /var/lib/rancher/k3s, ${gigabytes(needed)} needed for ${send.length} blobs`,
    { hint: `make room on ${node} (sudo k3s crictl rmi --prune), then run the same command again` },
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
