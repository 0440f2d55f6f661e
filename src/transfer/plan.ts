import type { Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import { blobsOf, totalSize, type Blob, type ShipImage } from '../core/image.ts';
import type { WholeForm, WireForm } from '../core/wire.ts';
import { counted } from '../core/text.ts';
import { wireName } from '../facts/node-paths.ts';
import { isProved, proofOf, type NodeStore } from '../facts/node-store.ts';
import { costOf, isFaster, type Cost } from './cost.ts';
import { obstacleTo, patchFor } from './patch.ts';

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

/** How a blob travels, and what that is expected to cost. */
export interface Way<Form extends WireForm = WireForm> {
  readonly form: Form;
  readonly expected: Cost;
}

export interface SendBlob extends Way {
  readonly blob: Blob;
  /** The way to fall back to when a patch cannot be made or applied. */
  readonly whole: Way<WholeForm>;
  /** Why the whole layer travels although a patch was wanted. */
  readonly sentWhole?: string;
}

/** What to plan by, beside the images and the node. */
export interface Planning {
  /** `auto` is zstd where the node has it. */
  readonly compression: 'auto' | 'zstd' | 'gzip';
  /** `auto` is a patch where that is expected to be faster. */
  readonly patch: 'auto' | 'always' | 'never';
  /** Whether this machine can make patches. */
  readonly canPatch: boolean;
  /** Bytes a second to this node, when somebody knows. */
  readonly rate: number | undefined;
  /** Layers that a layer may be a patch of, newest first. */
  readonly earlier: ReadonlyMap<Digest, readonly Blob[]>;
  /** Bytes of the wire forms that lie ready, by their names. */
  readonly made: ReadonlyMap<string, number>;
}

/** Below this much free space containerd and the kubelet get into trouble of their own. */
const RESERVE = 256 * 1024 * 1024;

/**
 * Compares the images with what a node has, and chooses how each missing layer travels. Config and
 * manifest of an image that is not proved are always sent: they are small, and the import needs them.
 *
 * @throws ShipError `storage` when the node has no room for the layers, `config` for another platform
 */
export function planNode(
  node: string,
  images: readonly ShipImage[],
  store: NodeStore,
  planning: Planning,
): NodePlan {
  requirePlatform(node, images, store);
  const open = images.filter((image) => !isProved(proofOf(store, image)));
  const blobs = [...new Map(open.flatMap(blobsOf).map((blob) => [blob.digest, blob])).values()];
  const send = blobs.flatMap((blob) => planBlob(node, blob, store, planning) ?? []);
  requireSpace(node, send, store.free);
  return { node, images: open, send, present: blobs.filter((blob) => isPresent(blob, store)) };
}

/**
 * How one blob travels to a node; undefined for a layer that lies there.
 *
 * @throws ShipError `config` when the node cannot read the compression that is wanted
 */
export function planBlob(
  node: string,
  blob: Blob,
  store: NodeStore,
  planning: Planning,
): SendBlob | undefined {
  return isPresent(blob, store) ? undefined : sendBlob(node, blob, store, planning);
}

function isPresent({ kind, digest }: Blob, store: NodeStore): boolean {
  return kind === 'layer' && store.content.has(digest);
}

function sendBlob(node: string, blob: Blob, store: NodeStore, planning: Planning): SendBlob {
  const form = blob.kind === 'layer' ? wholeForm(node, store, planning.compression) : 'plain';
  const whole = wayOf(blob, form, planning);
  const patch = patchFor(planning.earlier.get(blob.digest) ?? [], store);
  if (patch === undefined || planning.patch === 'never') return { blob, ...whole, whole };
  const way = wayOf(blob, patch, planning);
  const wanted = planning.patch === 'always' || isFaster(way.expected, whole.expected);
  if (!wanted) return { blob, ...whole, whole };
  const obstacle = obstacleTo(patch, blob, store, planning.canPatch);
  const send = { blob, ...way, whole };
  return obstacle === undefined ? send : asWhole(send, obstacle);
}

function wayOf<Form extends WireForm>(blob: Blob, form: Form, { made, rate }: Planning): Way<Form> {
  const ready = form === 'plain' ? blob.size : made.get(wireName(blob.digest, form));
  return { form, expected: costOf(blob.size, form, ready, rate) };
}

/** The same blob as a whole, because `why` keeps it from travelling as a patch. */
export function asWhole(send: SendBlob, why: string): SendBlob {
  return { ...send, ...send.whole, sentWhole: why };
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

function wholeForm(
  node: string,
  store: NodeStore,
  wanted: Planning['compression'],
): 'zstd' | 'gzip' {
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

/** Whether layers of so many bytes fit on a node. */
export function hasRoom({ free }: Pick<NodeStore, 'free'>, size: number): boolean {
  return roomFor(size) <= free;
}

/** Received, decoded, in the content store and unpacked: at most four copies exist at a time. */
function roomFor(size: number): number {
  return size === 0 ? 0 : 4 * size + RESERVE;
}

function requireSpace(node: string, send: readonly SendBlob[], free: number): void {
  const size = totalSize(send.map(({ blob }) => blob));
  if (hasRoom({ free }, size)) return;
  const needed = roomFor(size);
  throw new ShipError(
    'storage',
    `${node}: ${gigabytes(free)} free under /var/lib/rancher/k3s, ${gigabytes(needed)} needed for ${counted(send.length, 'blob')}`,
    { hint: `make room: ciliumship images prune --nodes ${node}, then run the same command again` },
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
