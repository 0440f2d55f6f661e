import { isNode, visit, type Document } from 'yaml';
import { readYaml } from '../core/yaml.ts';

/** The value of a YAML text, and where its parts stand in it. */
interface ReadDocument {
  readonly value: unknown;
  /** The line of a value, or of the nearest one around it that is there. */
  lineOf(path: readonly PropertyKey[]): number;
}

const CONFLICT = /^(<{7}|={7}|>{7}|\|{7})( |$)/;
/** A lock is three levels deep; a parser goes down as deep as a text leads it. */
const DEEP = /^ {20}|[[{](?:[^\]}\n]*[[{]){8}|(?:[-?:] +){9}/m;

/**
 * Reads the text of a lock as YAML: plain values only.
 *
 * @param maxBytes what a lock never exceeds
 * @returns every problem with its line when it cannot be read
 */
export function readDocument(
  written: string,
  maxBytes: number,
): ReadDocument | { readonly problems: readonly string[] } {
  const conflict = written.split('\n').findIndex((line) => CONFLICT.test(line.trimEnd()));
  if (conflict >= 0) return { problems: [`line ${conflict + 1}: a merge left its marks`] };
  const deep = DEEP.exec(written);
  if (deep !== null) {
    const line = written.slice(0, deep.index).split('\n').length;
    return { problems: [`line ${line}: no lock is as deep as this`] };
  }
  const read = readYaml(written, maxBytes);
  if ('problems' in read) {
    const lines = read.problems.map(({ line = 1, message }) => `line ${line}: ${message}`);
    return { problems: lines.slice(0, 5) };
  }
  const { document, lines, value } = read;
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const alias = firstAlias(document);
  if (alias !== undefined) return { problems: [`line ${lineAt(alias)}: it uses aliases`] };
  return { value, lineOf: (path) => lineOf(document, lineAt, path) };
}

function firstAlias(document: Document): number | undefined {
  let found: number | undefined;
  visit(document, {
    Alias: (_, { range }) => {
      found = range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return found;
}

function lineOf(
  document: Document,
  lineAt: (offset: number) => number,
  path: readonly PropertyKey[],
): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lineAt(node.range[0]);
  }
  return 1;
}
