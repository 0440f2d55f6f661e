import type { RenderedWorkload } from './manifest.ts';
import { isTree, type Values } from './tree.ts';

/** An image block in the values of a chart, such as `envoy.image`. */
export interface ImageBlock {
  readonly path: string;
  readonly repository: string;
}

/** Paths of image blocks in a chart's own values, by the repository that each names. */
export function imageBlocks(values: Values, above: readonly string[] = []): readonly ImageBlock[] {
  return Object.entries(values).flatMap(([key, block]) => {
    if (!isTree(block)) return [];
    const path = [...above, key];
    const { repository } = block;
    const own = typeof repository === 'string' ? [{ path: path.join('.'), repository }] : [];
    return [...own, ...imageBlocks(block, path)];
  });
}

/**
 * What a chart runs beside the built images, as `REPO:TAG`, sorted. An image that is named by a
 * digest alone cannot be shipped under its name and is left to the gate.
 *
 * @param built repositories that are built from the tree
 */
export function otherImages(
  workloads: readonly RenderedWorkload[],
  built: readonly string[],
): readonly string[] {
  const references = workloads.flatMap(({ images }) => images.map(({ image }) => image));
  const names = references.map((reference) => reference.split('@')[0] ?? reference);
  return [...new Set(names)]
    .filter((name) => /:[^/]+$/.test(name))
    .filter((name) => !built.some((repository) => name.startsWith(`${repository}:`)))
    .toSorted((a, b) => a.localeCompare(b));
}

/** The blocks that name one of these images: what was shipped has no digest of a registry. */
export function blocksOf(
  blocks: readonly ImageBlock[],
  names: readonly string[],
): readonly string[] {
  return blocks
    .filter(({ repository }) => names.some((name) => name.startsWith(`${repository}:`)))
    .map(({ path }) => path);
}
