import { type Digest, shortDigest } from './digest.ts';

/** `os/arch`, such as `linux/amd64`. */
export type Platform = `${string}/${string}`;

/** What a blob is; all blobs are named by the sha256 of their bytes. */
export type BlobKind = 'layer' | 'config' | 'manifest';

/** A layer (uncompressed tar: its digest is its diff ID), a config or a manifest. Size in bytes. */
export interface Blob {
  readonly kind: BlobKind;
  readonly digest: Digest;
  readonly size: number;
}

/** An image that a build made and that was then inspected in Docker. */
export interface BuiltImage {
  /** Which of the config's images it is: `cilium`, `operator-generic`, … */
  readonly key: string;
  /** Full reference with tag: `quay.io/cilium/cilium:vxlan-xdp-dev`. */
  readonly name: string;
  /** Docker's own id. It is the config digest on the classic store only. */
  readonly id: Digest;
  readonly diffIds: readonly Digest[];
  readonly platform: Platform;
  /** Bytes of its layers, as far as Docker says. */
  readonly size?: number;
}

/** Names and digests of an image: which one it is, wherever it lies. */
export interface ImageIdentity {
  readonly key: string;
  /** `REPO:TAG`, the name that people use. */
  readonly name: string;
  /** `REPO:TAG-<first 12 hex of the config digest>`, the name that Helm values use. */
  readonly digestName: string;
  readonly manifest: Pick<Blob, 'digest'>;
  readonly config: Pick<Blob, 'digest'>;
}

/**
 * An image ready to ship: one deterministic manifest over uncompressed layers. Its identity on
 * every side is the config digest.
 */
export interface ShipImage extends ImageIdentity {
  readonly platform: Platform;
  readonly manifest: Blob;
  readonly config: Blob;
  /** From the lowest layer to the highest. */
  readonly layers: readonly Blob[];
}

/** An image by its name and the digests of its layers, which are known before their sizes are. */
export interface Layered {
  readonly name: string;
  /** From the lowest layer to the highest. */
  readonly layers: readonly Pick<Blob, 'digest'>[];
}

/** Reads one blob of the ship layout; both ends in bytes, `end` exclusive. */
export interface BlobSource {
  read(digest: Digest, range?: { readonly start: number }): AsyncIterable<Uint8Array>;
}

/** What one node says about one image after an import. Every field was read from the node. */
export interface ImageProof {
  readonly key: string;
  readonly name: string;
  readonly digestName: string;
  /** Digest of the manifest that the name points at. */
  readonly manifest: Digest;
  readonly config: Digest;
  /** Every blob of the image is in the content store. */
  readonly complete: boolean;
  readonly unpacked: boolean;
  readonly pinned: 'pinned' | 'unpinned' | 'pin not honoured by containerd 1.6';
  /** The CRI lists the image under this config digest. */
  readonly cri: boolean;
}

/**
 * The second name of an image: `REPO:TAG-<digest12>`. A new image is then a new pod template, and
 * `helm rollback` names the old bytes.
 */
export function digestName(name: string, config: Digest): string {
  return `${name}-${shortDigest(config)}`;
}

/** The name that a digest name was made from; any other name is its own. */
export function plainName(reference: string): string {
  return reference.replace(/-[0-9a-f]{12}$/, '');
}

/** True for a name itself and for its digest names: some build of the image. */
export function isBuildOf(reference: string, name: string): boolean {
  return reference === name || plainName(reference) === name;
}

/** What a runtime says that a container runs. */
export interface RunningId {
  /** Undefined while nothing runs. */
  readonly imageId: Digest | undefined;
  /** `imageId` is the digest of a manifest and not of a config. */
  readonly byManifest?: boolean | undefined;
}

/**
 * Runtimes name what runs by its config digest, or by a manifest: that of ours, or one of an image
 * that came here in another way and may hold the same.
 */
export function runsOf(
  { imageId, byManifest }: RunningId,
  image: { readonly config: Digest; readonly manifest: Digest },
): 'same' | 'other' | 'unclear' {
  if (imageId === image.config || imageId === image.manifest) return 'same';
  return imageId !== undefined && byManifest === true ? 'unclear' : 'other';
}

/** `quay.io/cilium/cilium:tag` → `cilium:tag`, for people. */
export function shortName(name: string): string {
  return name.split('/').at(-1) ?? name;
}

/** All blobs of an image: layers first, then config, then manifest. */
export function blobsOf(image: ShipImage): readonly Blob[] {
  return [...image.layers, image.config, image.manifest];
}

/** Sum of the sizes of distinct blobs, in bytes. */
export function totalSize(blobs: readonly Blob[]): number {
  const sizes = new Map(blobs.map((blob) => [blob.digest, blob.size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
