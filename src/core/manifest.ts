/**
 * The documents of a rendered chart, without the blank lines around them: Helm 3 takes those at the end
 * of each away, and Helm 4 keeps them.
 */
export function documentsOf(manifest: string): readonly string[] {
  const documents = manifest.split(/^---[ \t]*$/m).map((document) => document.trim());
  return documents.filter((document) => document !== '');
}

/** True when two manifests are the same, whichever Helm wrote each of them. */
export function sameManifest(a: string, b: string): boolean {
  const [one, other] = [documentsOf(a), documentsOf(b)];
  return one.length === other.length && one.every((document, index) => document === other[index]);
}
