import { Lexer, LineCounter, parseDocument, type Document, type ErrorCode } from 'yaml';
import { MAX_ALIASES, MAX_PROBLEMS, wrongNodes } from './yaml-nodes.ts';

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

/**
 * Two and a half times what the longest file has that people hand us: the 4595 lines of values.yaml of Cilium
 * 1.20.2 are 20,016 pieces. The worst text with as many as this takes 0.4 s and 40 MB.
 */
const MAX = { pieces: 50_000, depth: 100 };

/** In words of the one who wrote the file, not of the library. */
const PLAIN: Partial<Record<ErrorCode, string>> = {
  MULTIPLE_DOCS: 'a second document begins here; there may be one only',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
};

/**
 * Reads a YAML text that may come from anyone, in time and memory that its size bounds: duplicate
 * keys are looked for in one pass (the library compares each key with every other), and what its nodes
 * add up to is counted before values are made of them.
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
  return { value: document.toJS({ maxAliasCount: MAX_ALIASES }), document, lines };
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
