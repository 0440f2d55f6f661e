import { z } from 'zod';
import type { ValueProblem } from './check-values.ts';
import { isTree, valueOf, type Path, type Values } from './tree.ts';

type Issue = z.core.$ZodIssue;

/** Characters of a value. */
const MAX_SAID = 60;

/** What Helm would refuse as well; patterns and formats are left to it, which knows Go's. */
const SHOWN = new Set(['invalid_type', 'invalid_value', 'invalid_union', 'too_small', 'too_big']);

/**
 * Values that the chart's own schema refuses. Helm says so too, but without a line, and only when
 * images are built and shipped.
 *
 * @param schema content of values.schema.json; what cannot be understood of it is left to Helm
 */
export function schemaProblems(values: Values, schema: unknown): readonly ValueProblem[] {
  const issues = checked(values, schema).filter(({ code }) => SHOWN.has(code));
  return issues.flatMap((issue) => {
    const path = standing(values, issue.path.map(String));
    const value = valueOf(values, path);
    // A key of null is taken out by Helm, and one that is not there has the chart's default.
    if (value === undefined || value === null) return [];
    const said = JSON.stringify(value).slice(0, MAX_SAID);
    const message = `${said} is refused by the schema of the chart: ${wanted(issue)}`;
    return [{ severity: 'error' as const, path: path.join('.'), message }];
  });
}

/** A list is one value: lines are known of keys. */
function standing(values: Values, path: Path): Path {
  const end = path.findIndex((_, index) => !isTree(valueOf(values, path.slice(0, index))));
  return end === -1 ? path : path.slice(0, end);
}

function checked(values: Values, schema: unknown): readonly Issue[] {
  if (!isTree(schema)) return [];
  try {
    const read = z.fromJSONSchema(touched(schema, values));
    return read.safeParse(values).error?.issues ?? [];
  } catch {
    return [];
  }
}

/** Only what the values touch: to read the whole schema of a Cilium chart takes most of a second. */
function touched(schema: Values, values: Values): Values {
  const { required: _, properties, ...rest } = schema;
  if (!isTree(properties)) return schema;
  const near = Object.entries(properties).flatMap(([key, below]) => {
    const value = values[key];
    if (value === undefined || value === null) return [];
    return [[key, isTree(value) && isTree(below) ? touched(below, value) : below] as const];
  });
  // A schema may leave it out where it names properties.
  return { type: 'object', ...rest, properties: Object.fromEntries(near) };
}

/** `it takes boolean or null`. */
function wanted(issue: Issue): string {
  const choices = [...new Set(choicesOf(issue))];
  return choices.length === 0 ? issue.message : `it takes ${choices.join(' or ')}`;
}

function choicesOf(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_union') return issue.errors.flat().flatMap(choicesOf);
  if (issue.code === 'invalid_value') return issue.values.map((value) => JSON.stringify(value));
  if (issue.code !== 'invalid_type') return [];
  return [issue.expected === 'int' ? 'integer' : issue.expected];
}
