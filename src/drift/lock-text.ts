import { isNode, LineCounter, parseDocument, type Document } from 'yaml';

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
 * @returns every problem with its line when it cannot be read
 */
export function readDocument(
  written: string,
): ReadDocument | { readonly problems: readonly string[] } {
  const conflict = written.split('\n').findIndex((line) => CONFLICT.test(line.trimEnd()));
  if (conflict >= 0) return { problems: [`line ${conflict + 1}: a merge left its marks`] };
  const deep = DEEP.exec(written);
  if (deep !== null) {
    const line = written.slice(0, deep.index).split('\n').length;
    return { problems: [`line ${line}: no lock is as deep as this`] };
  }
  const lines = new LineCounter();
  const document = parseDocument(written, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const problems = document.errors.map(
    ({ message, pos }) => `line ${lines.linePos(pos[0]).line}: ${message}`,
  );
  if (problems.length > 0) return { problems: problems.slice(0, 5) };
  try {
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    return { value, lineOf: (path) => lineOf(document, lines, path) };
  } catch {
    const at = written.split('\n').findIndex((line) => /(^|[\s,[{])\*\S/.test(line));
    return { problems: [`line ${Math.max(at, 0) + 1}: it uses aliases`] };
  }
}

function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
