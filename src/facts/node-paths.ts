import { hexOf, shortDigest, type Digest } from '../core/digest.ts';
import { isPatch, type WireForm } from '../core/wire.ts';

/**
 * Where ciliumship works on a node: on containerd's file system, so that space is counted once, and
 * empty again after every run.
 */
export const NODE_FOLDER = '/var/lib/rancher/k3s/ciliumship';

/** Written by the SSH user, 0700; nothing in it is trusted. */
export const INBOX = `${NODE_FOLDER}/in`;

/** Root's OCI layout, 0700: only what was hashed here is imported. */
export const LAYOUT = `${NODE_FOLDER}/layout`;

/** When the import that is under way began; only one that failed or was killed leaves it. */
export const IMPORTING = `${LAYOUT}/importing`;

/** The blobs of K3s's containerd; a layer lies there uncompressed when we brought it. */
export const CONTENT =
  '/var/lib/rancher/k3s/agent/containerd/io.containerd.content.v1.content/blobs/sha256';

const ENDINGS = { zstd: '.zst', gzip: '.gz', plain: '' } as const;

/** Name of a blob's wire form: its hex digest and an ending that says how to decode it. */
export function wireName(digest: Digest, form: WireForm): string {
  const ending = isPatch(form) ? `.from-${shortDigest(form.base.digest)}.zst` : ENDINGS[form];
  return `${hexOf(digest)}${ending}`;
}
