import { closest, distance } from 'fastest-levenshtein';
import { ShipError } from '../core/errors.ts';
import { problems } from './index.ts';
import type { Problem } from './problem.ts';

/**
 * The problem of an id, in any case.
 *
 * @throws ShipError `usage` with the nearest id
 */
export function problemOf(id: string): Problem {
  const wanted = id.toUpperCase();
  const found = problems.find((problem) => problem.id === wanted);
  if (found !== undefined) return found;
  const ids = problems.map((problem) => problem.id);
  const near = closest(wanted, ids);
  const guess =
    distance(wanted, near) <= 1 ? `did you mean ${near}?` : `ids are E1 to E18, K1 to K4, N1 to N9`;
  throw new ShipError('usage', `there is no problem ${id}; ${guess}`, {
    hint: `search by the text of an error: ciliumship doctor --match 'TEXT'`,
  });
}

/** Problems that a text of an error points at; the one whose pattern fits the longest part first. */
export function problemsFor(text: string): readonly Problem[] {
  const scored = problems.map((problem) => ({ problem, length: longestMatch(problem, text) }));
  return scored
    .filter(({ length }) => length > 0)
    .toSorted((a, b) => b.length - a.length)
    .map(({ problem }) => problem);
}

function longestMatch({ patterns }: Problem, text: string): number {
  return Math.max(0, ...patterns.map((pattern) => pattern.exec(text)?.[0].length ?? 0));
}
