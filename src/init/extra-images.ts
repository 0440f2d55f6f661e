import { parseDocument } from 'yaml';

/** An image that a chart runs, as it was rendered. */
export interface ChartImage {
  /** `REPO:TAG`. */
  readonly name: string;
  /** The chart names it by its digest as well, which no side-loaded image has. */
  readonly byDigest: boolean;
}

/**
 * What a chart runs beside the built images: they must be on the nodes too.
 *
 * @param rendered image names of the rendered chart, each as often as it is used
 * @param built repositories that are built from the tree
 */
export function extraImages(
  rendered: readonly string[],
  built: readonly string[],
): readonly ChartImage[] {
  const images = [...new Set(rendered)].map((reference) => {
    const [name = reference, digest] = reference.split('@');
    return { name, byDigest: digest !== undefined };
  });
  return images
    .filter(({ name }) => !built.some((repository) => name.startsWith(`${repository}:`)))
    .filter(({ name }) => /:[^/]+$/.test(name))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

/**
 * Values that name images by tag alone where the chart names them by digest too: what is imported
 * from an archive has no digest of a registry.
 *
 * @param text of the values file
 * @param paths values paths of the image blocks: `envoy.image`
 */
export function withoutDigests(text: string, paths: readonly string[]): string {
  if (paths.length === 0) return text;
  const values = parseDocument(text);
  for (const path of paths) values.setIn([...path.split('.'), 'useDigest'], false);
  return values.toString({ lineWidth: 0 });
}
