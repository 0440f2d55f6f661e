import { isPair, isScalar, visit, type Alias, type Document, type Node } from 'yaml';

/** Something wrong with a node of a YAML text, and its offset. */
export interface WrongNode {
  readonly message: string;
  readonly at: number;
}

/** Nobody mends more before looking again. */
export const MAX_PROBLEMS = 20;
/** Each is looked for in the whole document. */
export const MAX_ALIASES = 100;
/** Values that all aliases of a text repeat, together. */
const MAX_REPEATED = 10_000;
/** Characters of a key and of all keys above it: each path in a tree is a text of its own. */
const MAX_PATH = 1000;

/** Keys that are none, are there twice or are long, and aliases that repeat much or lead into themselves. */
export function wrongNodes(document: Document): readonly WrongNode[] {
  const found: WrongNode[] = [];
  const wrong = (message: string, node: unknown): symbol | undefined => {
    found.push({ message, at: startOf(node) });
    return found.length >= MAX_PROBLEMS ? visit.BREAK : undefined;
  };
  visit(document, {
    Map: (_, { items }, path) => {
      const bad = wrongKey(items, path);
      return bad === undefined ? undefined : wrong(...bad);
    },
    Alias: aliasVisitor(document, wrong),
  });
  return found;
}

/** The nodes and pairs that something is in, from the outermost. */
type Path = readonly unknown[];
type Wrong = (message: string, node: unknown) => symbol | undefined;

function wrongKey(
  items: readonly { readonly key: unknown }[],
  path: Path,
): readonly [message: string, key: unknown] | undefined {
  const above = path.reduce<number>(
    (sum, node) => sum + (isPair(node) ? lengthOf(node.key) : 0),
    0,
  );
  const seen = new Set<unknown>();
  for (const { key } of items) {
    const name = isScalar(key) ? key.value : key;
    if (!isName(name)) return ['a key must be text', key];
    if (above + lengthOf(key) > MAX_PATH)
      return ['a key is longer than any, with those above it', key];
    if (seen.has(name)) return [`the key ${String(name)} is there twice`, key];
    seen.add(name);
  }
  return undefined;
}

function lengthOf(key: unknown): number {
  return isScalar(key) ? String(key.value).length : 0;
}

/** Says what is wrong with each alias, and stops at the first that makes them too many. */
function aliasVisitor(
  document: Document,
  wrong: Wrong,
): (_: unknown, node: Alias, path: Path) => symbol | undefined {
  const sizes = new Map<unknown, number>();
  let repeated = 0;
  return (_, node, path) => {
    const target = node.resolve(document);
    if (target !== undefined && path.includes(target)) {
      return wrong(`the alias *${node.source} leads into itself`, node);
    }
    const size = target === undefined ? 0 : sizeOf(target, sizes);
    sizes.set(node, size);
    repeated += size;
    if (sizes.size <= MAX_ALIASES && repeated <= MAX_REPEATED) return undefined;
    wrong('uses too many aliases', node);
    return visit.BREAK;
  };
}

/** How many values a node is; what the aliases in it repeat was counted before. */
function sizeOf(target: Node, sizes: ReadonlyMap<unknown, number>): number {
  let size = 0;
  visit(target, {
    Node: (_, node) => {
      size += sizes.get(node) ?? 1;
    },
  });
  return size;
}

/** What is a key without doubt: text, or a number or a word such as yes that was not quoted. */
function isName(key: unknown): boolean {
  return (
    typeof key === 'string' ||
    typeof key === 'boolean' ||
    (typeof key === 'number' && !Number.isNaN(key))
  );
}

function startOf(node: unknown): number {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : null;
  return Array.isArray(range) ? Number(range[0]) : 0;
}
