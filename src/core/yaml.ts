import {
  isAlias,
  isScalar,
  Lexer,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type ErrorCode,
} from 'yaml';

/** Something wrong with a YAML text; `line` is undefined when it is the whole of it. */
export interface YamlProblem {
  readonly line: number | undefined;
  readonly message: string;
}

/** A YAML text that is one tree of plain values, and where in it things are. */
export interface ReadYaml {
  readonly value: unknown;
  readonly document: Document;
  readonly lines: LineCounter;
}

const MAX_PROBLEMS = 20;
/** Of what no file that people write has half. A piece takes up to two kilobytes in the tree. */
const MAX = { pieces: 40_000, depth: 100, aliases: 100 };

/** In words of the one who wrote the file, not of the library. */
const PLAIN: Partial<Record<ErrorCode, string>> = {
  MULTIPLE_DOCS: 'a second document begins here; there may be one only',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
};

/**
 * Reads a YAML text that may come from anyone, in time and memory that its size bounds: duplicate
 * keys are looked for in one pass (the library compares each key with every other), aliases may not
 * multiply, nor lead into what they are part of.
 *
 * @param maxBytes what a text of this kind never exceeds
 */
export function readYaml(
  text: string,
  maxBytes: number,
): ReadYaml | { readonly problems: readonly YamlProblem[] } {
  if (text.length > maxBytes) {
    return whole(`is ${text.length} bytes long, more than the ${maxBytes} that it can have`);
  }
  const tooMuch = tooMuchIn(text);
  if (tooMuch !== undefined) return { problems: [tooMuch] };
  try {
    return withoutStacks(() => readTree(text));
  } catch (error) {
    // What the library throws: aliases that multiply, and trees too deep for its stack.
    return whole(error instanceof ReferenceError ? 'uses too many aliases' : 'cannot be read');
  }
}

function readTree(text: string): ReturnType<typeof readYaml> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const wrong = document.errors.slice(0, MAX_PROBLEMS).map(({ code, message, pos }) => ({
    message: PLAIN[code] ?? message,
    at: pos[0],
  }));
  const found = wrong.length > 0 ? wrong : wrongNodes(document);
  if (found.length > 0) {
    const problems = found.map(({ message, at }) => ({ line: lines.linePos(at).line, message }));
    return { problems };
  }
  return { value: document.toJS({ maxAliasCount: MAX.aliases }), document, lines };
}

/** A file can be wrong in ten thousand places, and each error of the library would hold its stack. */
function withoutStacks<T>(act: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return act();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Looks at the pieces of a text one by one, before a tree is made of them. */
function tooMuchIn(text: string): YamlProblem | undefined {
  let [line, pieces, depth, steps] = [1, 0, 0, 0];
  for (const piece of new Lexer().lex(text)) {
    pieces += 1;
    if (piece === '[' || piece === '{') depth += 1;
    else if (piece === ']' || piece === '}') depth = Math.max(0, depth - 1);
    // `- - - a` goes down as well; in brackets these mean something else.
    else if (depth === 0 && /^[-?:]$/.test(piece)) steps += 1;
    else if (piece.includes('\n')) {
      line += piece.split('\n').length - 1;
      steps = 0;
    }
    if (depth + steps > MAX.depth) return { line, message: 'is nested too deeply' };
    if (pieces > MAX.pieces) return { line, message: 'is longer than any file of its kind' };
  }
  return undefined;
}

function whole(message: string): { readonly problems: readonly YamlProblem[] } {
  return { problems: [{ line: undefined, message }] };
}

interface WrongNode {
  readonly message: string;
  readonly at: number;
}

/** Keys that are none or are there twice, and aliases to what they are in. */
function wrongNodes(document: Document): readonly WrongNode[] {
  const found: WrongNode[] = [];
  let aliases = 0;
  const wrong = (message: string, node: unknown): typeof visit.BREAK | undefined => {
    found.push({ message, at: startOf(node) });
    return found.length >= MAX_PROBLEMS ? visit.BREAK : undefined;
  };
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key;
        if (!isName(name)) return wrong('a key must be text', key);
        if (seen.has(name)) return wrong(`the key ${String(name)} is there twice`, key);
        seen.add(name);
      }
      return undefined;
    },
    Alias: (_, node, path) => {
      // Each is looked for in the whole document.
      aliases += 1;
      if (aliases > MAX.aliases) {
        wrong('uses too many aliases', node);
        return visit.BREAK;
      }
      const target = isAlias(node) ? node.resolve(document) : undefined;
      return path.some((above) => above === target)
        ? wrong(`the alias *${node.source} leads into itself`, node)
        : undefined;
    },
  });
  return found;
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
