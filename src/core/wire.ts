import type { Blob } from './image.ts';

/** A blob as a whole: compressed, or as it is. */
export type WholeForm = 'zstd' | 'gzip' | 'plain';

/** A zstd patch: what makes a layer of another one, which the node has. */
export interface Patch {
  readonly base: Blob;
}

/** The form in which a blob travels. */
export type WireForm = WholeForm | Patch;

/** True for a patch. */
export function isPatch(form: WireForm): form is Patch {
  return typeof form === 'object';
}
