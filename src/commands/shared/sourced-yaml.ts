import { Document, isCollection, isNode, isPair, isScalar, visit, type Pair } from 'yaml';

/** A value, where it stands in a tree, and where it comes from. */
export interface Sourced {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly source: string;
}

/** Columns of a terminal as most are. */
const WIDTH = 80;

/**
 * Values as YAML, each with a comment that says where it comes from: behind it, or above it where that
 * would be too wide.
 */
export function sourcedYaml(values: readonly Sourced[]): string {
  const document = new Document({});
  for (const { path, value } of values) document.setIn(path, document.createNode(value));
  const sources = new Map(values.map(({ path, source }) => [path.join('.'), source]));
  visit(document, {
    Pair: (_, pair, above) => {
      const path = [...above.filter(isPair), pair].map(({ key }) => keyText(key)).join('.');
      const source = sources.get(path);
      if (source === undefined) return undefined;
      const { value } = pair;
      if (isCollection(value) && value.items.length > 0) value.commentBefore = ` ${source}`;
      else if (isNode(value) && isNarrow(pair, above, source)) value.comment = ` ${source}`;
      else {
        const key = document.createNode(keyText(pair.key));
        key.commentBefore = ` ${source}`;
        pair.key = key;
      }
      return visit.SKIP;
    },
  });
  return document.toString({ lineWidth: 0 }).trimEnd().replaceAll(EMPTY, '$1 $2 $3');
}

/** What is empty is put on three lines by the library once it has a comment. */
const EMPTY = /^( *[\w.-]+:)\n +(\[\]|\{\})\n +(# \S+)$/gm;

/** Whether a value and its source have room in one line. */
function isNarrow({ key, value }: Pair, above: readonly unknown[], source: string): boolean {
  const indent = '  '.repeat(above.filter(isPair).length);
  const text = isScalar(value) ? String(value.value) : '[]';
  return `${indent}${keyText(key)}: ${text} # ${source}`.length <= WIDTH;
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}
