import { z } from 'zod';
import { scrub } from '../core/scrub.ts';
import { suggest, type Problem } from './problems.ts';
import { configSchema, type ConfigFile } from './schema.ts';

/** More than anyone reads; a file may be wrong in a hundred thousand places. */
const MAX_ISSUES = 200;
const MOST = Number.MAX_SAFE_INTEGER;

type Path = readonly (string | number)[];

/** Checks a parsed file against the schema. Keys that start with `x-` are the user's own. */
export function checkSchema(
  value: unknown,
): { readonly value: ConfigFile } | { readonly problems: readonly Problem[] } {
  const result = configSchema.safeParse(withoutExtensions(value));
  if (result.success) return { value: result.data };
  // A number that no computer counts to is also more than its own limit.
  const issues = result.error.issues
    .filter((issue) => issue.code !== 'too_big' || issue.origin !== 'int' || issue.maximum !== MOST)
    .slice(0, MAX_ISSUES);
  return {
    problems: issues.flatMap((issue) =>
      describeIssue(issue).map((problem) => ({
        ...problem,
        message: withFound(problem, issue, value),
      })),
    ),
  };
}

function withoutExtensions(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')));
}

function describeIssue(issue: z.core.$ZodIssue): readonly Problem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'invalid_type') return [{ path, message: typeMessage(issue) }];
  if (issue.code === 'invalid_value') {
    return [{ path, message: `must be ${issue.values.map(String).join(' or ')}` }];
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => ({ path, message: `the name ${message}` }));
  }
  if (issue.code !== 'unrecognized_keys') return [{ path, message: sizeMessage(issue) }];
  const known = knownKeys(path);
  return issue.keys.slice(0, MAX_ISSUES).map((key) => {
    const near = suggest(key, known);
    const message = near === undefined ? 'unknown key' : `unknown key; did you mean ${near}?`;
    return { path: [...path, key], message };
  });
}

const SHOWN = 60;

/** The value that is wrong in its form, beside what it should be. */
function withFound({ path, message }: Problem, { code }: z.core.$ZodIssue, value: unknown): string {
  if (code !== 'invalid_format' && code !== 'invalid_value') return message;
  const found = JSON.stringify(valueAt(value, path)) ?? '';
  if (found === '' || found.length > SHOWN || holdsSecret(found)) return message;
  return message.startsWith('must ') ? `${message}, not ${found}` : `${found} ${message}`;
}

/** `user:password@host` is refused, and then stands in a log of CI. */
function holdsSecret(text: string): boolean {
  return scrub(text) !== text || /:[^/\s]*@/.test(text);
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined,
    value,
  );
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text; a number or a word such as yes needs quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a tree of key: value',
  record: 'a tree of key: value',
};

function typeMessage({ message, expected }: z.core.$ZodIssueInvalidType): string {
  if (message.endsWith('received undefined')) return 'is missing';
  return `must be ${TYPES[expected] ?? expected}`;
}

const UNITS: Readonly<Record<string, string>> = {
  string: ' characters',
  array: ' entries',
  record: ' entries',
  object: ' entries',
};

/** Of a limit that the schema gives no words of its own. */
function sizeMessage(issue: z.core.$ZodIssue): string {
  const { code, message } = issue;
  if (!message.startsWith('Too ') || (code !== 'too_big' && code !== 'too_small')) return message;
  const [most, limit] = code === 'too_big' ? ['most', issue.maximum] : ['least', issue.minimum];
  return `must be at ${most} ${limit}${UNITS[issue.origin] ?? ''}`;
}

/** The parts of a JSON Schema that zod makes of ours. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
}

let walked: JsonSchema | undefined;

/** The keys that the schema knows at `path`. */
function knownKeys(path: Path): readonly string[] {
  // The JSON form is the one public way to walk a zod schema.
  let schema: JsonSchema | undefined = (walked ??= jsonSchema());
  for (const part of path) schema = schema === undefined ? undefined : child(schema, part);
  return Object.keys(schema?.properties ?? {});
}

function child(schema: JsonSchema, part: string | number): JsonSchema | undefined {
  if (typeof part === 'number') return schema.items;
  const known = schema.properties?.[part];
  if (known !== undefined) return known;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** JSON Schema of the config file, for editors. */
export function jsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
  return { ...(schema as JsonSchema), patternProperties: { '^x-': {} } };
}
