import type { Finding, Problem } from './problem.ts';
import type { View } from './view.ts';

/** Looks for problems in what was seen; every place gives one finding of each problem. */
export function examine(view: View, problems: readonly Problem[]): readonly Finding[] {
  return problems.flatMap(({ id, look }) => look(view).map((finding) => ({ id, ...finding })));
}
