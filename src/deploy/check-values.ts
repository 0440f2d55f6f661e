import { closest, distance } from 'fastest-levenshtein';
import { NAMED_RULES } from './value-rules.ts';
import { isTree, leaves, valueOf, type Path, type Values } from './tree.ts';
import { schemaProblems } from './value-schema.ts';

/** Looking for a word that is near costs time, and a file may have any number of keys. */
const SUGGESTED = 100;

/** An error stops a deploy unless its key is allowed; the others are said. */
export type Severity = 'error' | 'warning' | 'note';

/** Something about a values file that does not do what it says. */
export interface ValueProblem {
  readonly severity: Severity;
  /** `loadBalancer.acceleration`. */
  readonly path: string;
  readonly message: string;
}

/** What a chart knows: its defaults, and the paths that its templates read. */
export interface ChartKeys {
  readonly defaults: Values;
  readonly read: ReadonlySet<string>;
  /** Its values.schema.json, where it has one. */
  readonly schema?: unknown;
}

/**
 * Every problem of a values file that can be seen before anything is rendered: keys that the chart
 * ignores, what its schema refuses, and values that are known to take a network down (reference upstream §2.1, E4, E10, E11,
 * E16, E17). Helm itself says nothing about an unknown key.
 */
export function checkValues(values: Values, chart: ChartKeys): readonly ValueProblem[] {
  const named = NAMED_RULES.flatMap((rule) => rule(values, chart));
  const spoken = [...new Set(named.map(({ path }) => path))];
  const around = withParents(chart.read);
  const unknown = leaves(values)
    .map(({ path }) => path)
    .filter((path) => path[0] !== 'global' && !isKnown(path, chart, around))
    .filter((path) => !spoken.some((said) => isBelow(path.join('.'), said)))
    .map((path, index) => ({
      severity: 'error' as const,
      path: path.join('.'),
      message: `the chart does not know this key${index < SUGGESTED ? suggestion(path, chart) : ''}`,
    }));
  const refused = schemaProblems(values, chart.schema).filter(
    ({ path }) => !spoken.some((said) => isBelow(path, said)),
  );
  return [...named, ...refused, ...unknown];
}

function isBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}.`);
}

/** Paths of a chart's templates: `.Values.bpf.masquerade` → `bpf.masquerade`. */
export function pathsRead(templates: readonly string[]): ReadonlySet<string> {
  const found = templates.flatMap((text) => [...text.matchAll(/\.Values\.([A-Za-z0-9_.]+)/g)]);
  return new Set(found.map(([, path = '']) => path.replace(/\.$/, '')));
}

/**
 * Known is what the defaults declare, what lies below a default that is open, and what a template
 * reads, with all that lies above or below it.
 */
function isKnown(path: Path, { defaults, read }: ChartKeys, around: ReadonlySet<string>): boolean {
  let at: unknown = defaults;
  for (const part of path) {
    if (!isTree(at) || isOpen(at)) return true;
    if (!Object.hasOwn(at, part)) return around.has(path.join('.')) || isBelowRead(path, read);
    at = at[part];
  }
  return true;
}

/** An empty tree, or one of labels such as `kubernetes.io/os`: its keys are the user's to choose. */
function isOpen(tree: Values): boolean {
  const keys = Object.keys(tree);
  return keys.length === 0 || keys.some((key) => /[./]/.test(key));
}

function isBelowRead(path: Path, read: ReadonlySet<string>): boolean {
  return path.some((_, at) => read.has(path.slice(0, at + 1).join('.')));
}

/** Paths with all that lie above them. */
function withParents(paths: ReadonlySet<string>): ReadonlySet<string> {
  const all = [...paths].flatMap((path) => {
    const parts = path.split('.');
    return parts.map((_, at) => parts.slice(0, at + 1).join('.'));
  });
  return new Set(all);
}

/** The nearest key beside it: another case, or a letter or two away. */
function suggestion(path: Path, { defaults }: ChartKeys): string {
  const above = path.slice(0, -1);
  const last = path.at(-1) ?? '';
  const parent = valueOf(defaults, above);
  const siblings = Object.keys(isTree(parent) ? parent : defaults);
  const near = siblings.find((key) => isSameWord(key, last)) ?? closest(last, siblings);
  const isClose = isSameWord(near, last) || distance(near, last) <= 2;
  return siblings.length > 0 && isClose ? `; did you mean ${[...above, near].join('.')}?` : '';
}

function isSameWord(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
