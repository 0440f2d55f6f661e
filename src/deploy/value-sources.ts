import { leaves, type Leaf, type Path, type Values } from './tree.ts';

/** One final value and where it comes from. */
export interface SourcedValue extends Leaf {
  readonly source: 'file' | 'digest tag' | 'derived';
}

/** Keys of an image block that name the shipped bytes. */
const IMAGE_KEYS = new Set(['override', 'useDigest', 'pullPolicy']);

/**
 * Every value that is given to Helm over the chart's defaults, with its source: the user's file,
 * the digest tag of a shipped image, or what ciliumship sets for a rollout.
 *
 * @param derived what is laid over the user's values; its keys win
 */
export function sourcedValues(user: Values, derived: Values): readonly SourcedValue[] {
  const own = leaves(derived);
  const over = new Set(own.map(({ path }) => path.join('.')));
  const theirs = leaves(user).filter(({ path }) => !over.has(path.join('.')));
  return [
    ...theirs.map((leaf) => ({ ...leaf, source: 'file' as const })),
    ...own.map((leaf) => ({
      ...leaf,
      source: isImageKey(leaf.path) ? ('digest tag' as const) : ('derived' as const),
    })),
  ];
}

function isImageKey(path: Path): boolean {
  return path.at(-2) === 'image' && IMAGE_KEYS.has(path.at(-1) ?? '');
}
