import { distance } from 'fastest-levenshtein';

/** One thing wrong with a file. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** `line 3: nodes.master.role: must be server or agent`, in the order of the lines. */
export function problemLines(
  problems: readonly Problem[],
  lineOf: (problem: Problem) => number | undefined,
): readonly string[] {
  return problems
    .map((problem) => ({ line: lineOf(problem), problem }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ line, problem }) => {
      const where = [line === undefined ? '' : `line ${line}`, problem.path.join('.')];
      return [...where, problem.message].filter((part) => part !== '').join(': ');
    });
}

/** The nearest of `known` within a third of its length, for "did you mean". */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const scored = known.map((candidate) => ({
    candidate,
    cost: distance(word.toLowerCase(), candidate.toLowerCase()),
  }));
  const best = scored.sort((a, b) => a.cost - b.cost)[0];
  if (best === undefined) return undefined;
  return best.cost <= Math.max(2, Math.ceil(best.candidate.length / 3))
    ? best.candidate
    : undefined;
}
