import type { Digest } from '../core/digest.ts';
import type { ImageProof, Platform, ImageIdentity, RunningId } from '../core/image.ts';
import type { CheckedName, StoredName } from './containerd.ts';
import type { CriImage } from './cri.ts';

/** What a node says of its images, as its own tools printed it. */
export interface NodeImages {
  readonly containerd: string;
  readonly images: ReadonlyMap<string, StoredName>;
  readonly checked: ReadonlyMap<string, CheckedName>;
  readonly cri: readonly CriImage[];
}

/** What a node has and can do. */
export interface NodeStore extends NodeImages {
  readonly content: ReadonlySet<Digest>;
  /** Bytes free on containerd's file system. */
  readonly free: number;
  /** Whether root can decode zstd there. */
  readonly zstd: boolean;
  /** Whether that zstd can apply patches. */
  readonly patches: boolean;
  /** Bytes of memory that programs can still have. */
  readonly memory: number;
  /** `linux/amd64`; undefined when it is none that we know. */
  readonly platform: Platform | undefined;
  readonly machine: Machine;
}

/** What tells one machine from another; empty where it says nothing. */
export interface Machine {
  /** The kernel's id of this boot. */
  readonly bootId: string;
  readonly machineId: string;
}

/** The label that the CRI takes for "never collect this image". */
export const PINNED_LABEL = 'io.cri-containerd.pinned';

/**
 * What the node says about an image under both of its names.
 *
 * @returns undefined when one of the names is missing or points elsewhere
 */
export function proofOf(store: NodeImages, image: ImageIdentity): ImageProof | undefined {
  const names = [image.name, image.digestName].map((name) => store.checked.get(qualified(name)));
  if (names.some((name) => name?.digest !== image.manifest.digest)) return undefined;
  const listed = store.cri.find((candidate) => candidate.id === image.config.digest);
  return {
    key: image.key,
    name: image.name,
    digestName: image.digestName,
    manifest: image.manifest.digest,
    config: image.config.digest,
    complete: names.every((name) => name?.complete === true),
    unpacked: names.every((name) => name?.unpacked === true),
    pinned: pinState(store, image, listed?.pinned === true),
    cri: listed?.names.includes(qualified(image.digestName)) === true,
  };
}

/**
 * What a container runs by its config digest, where the runtime names the manifest that the image was
 * pulled by and the node knows whose that is.
 */
export function knownBy<T extends RunningId>(store: NodeImages | undefined, container: T): T {
  const { imageId, byManifest } = container;
  if (imageId === undefined || byManifest !== true) return container;
  const image = store?.cri.find(({ digests }) => digests?.includes(imageId));
  if (image === undefined) return container;
  return { ...container, imageId: image.id as Digest, byManifest: false };
}

/**
 * Whether a container runs what its node has under the name in its pod's spec; true where nobody can
 * tell. One that runs nothing does not.
 */
export function runsAsNamed(
  store: NodeImages | undefined,
  container: RunningId & { readonly image: string },
): boolean {
  const named = store?.cri.find(({ names }) => names.includes(qualified(container.image)));
  const { imageId, byManifest } = knownBy(store, container);
  const isUnclear = imageId !== undefined && byManifest === true;
  return named === undefined || isUnclear || named.id === imageId;
}

/** True when nothing is left to do for an image on a node. */
export function isProved(proof: ImageProof | undefined): proof is ImageProof {
  if (proof === undefined) return false;
  return proof.complete && proof.unpacked && proof.cri && proof.pinned !== 'unpinned';
}

/** containerd 1.6 keeps the label and does not look at it; that is a warning and not a failure. */
function pinState(store: NodeImages, image: ImageIdentity, listed: boolean): ImageProof['pinned'] {
  if (listed) return 'pinned';
  const labelled = [image.name, image.digestName].every(
    (name) => store.images.get(qualified(name))?.labels.get(PINNED_LABEL) === 'pinned',
  );
  const ignored = labelled && store.containerd.startsWith('1.6.');
  return ignored ? 'pin not honoured by containerd 1.6' : 'unpinned';
}

/**
 * The full form of a reference, which containerd and the CRI know an image by: a registry host in
 * front, `docker.io` when there is none, there `library/` before a single word, `:latest` when there
 * is no tag.
 */
export function qualified(reference: string): string {
  const name = reference.replace(/^docker\.io\/(?=[^/]+$)/, '');
  const [first = '', ...rest] = name.split('/');
  const hosted = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const repository = hosted ? name : `docker.io/${rest.length > 0 ? '' : 'library/'}${name}`;
  return /:[^/]+$/.test(repository) ? repository : `${repository}:latest`;
}
