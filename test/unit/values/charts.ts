import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** The key tree of a chart: a leaf is the type of its default value. */
export interface Keys {
  readonly [key: string]: Keys | string;
}

export interface Chart {
  readonly keys: Keys;
  /** Read by the templates without being in values.yaml. */
  readonly undeclared: readonly string[];
  /** Repositories of the images that a deployment with the example's values uses. */
  readonly images: readonly string[];
}

/** The copied key tree of a published chart. */
export const publishedChart = (version: string): Chart =>
  JSON.parse(readFileSync(`test/data/charts/${version}.json`, 'utf8')) as Chart;

export const yamlOf = (file: string): unknown => parse(readFileSync(file, 'utf8'));

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' ? 'integer' : typeof value;
}

/** A chart's own values.yaml in the shape of the published key trees. */
export function keysOf(values: unknown): Keys | string {
  if (!isMap(values)) return typeOf(values);
  const entries = Object.entries(values).map(([key, value]) => [key, subtree(key, value)] as const);
  return entries.length === 0 ? 'object' : Object.fromEntries(entries);
}

/** Labels are the user's, so a node selector takes any keys. */
const subtree = (key: string, value: unknown): Keys | string =>
  key === 'nodeSelector' ? 'object' : keysOf(value);

/** Every path of a values file with its value, down to where the chart takes any keys. */
export function pathsOf(values: unknown, chart: Keys | string, prefix = ''): [string, unknown][] {
  if (!isMap(values) || chart === 'object') return [[prefix, values]];
  return Object.entries(values).flatMap(([key, value]) =>
    pathsOf(value, typeof chart === 'string' ? '' : (chart[key] ?? ''), join(prefix, key)),
  );
}

const join = (prefix: string, key: string): string => (prefix === '' ? key : `${prefix}.${key}`);

/** The subtree or type at a path; undefined when the chart has no such key. */
export function lookup(keys: Keys, path: string): Keys | string | undefined {
  let found: Keys | string | undefined = keys;
  for (const key of path.split('.')) found = typeof found === 'object' ? found[key] : undefined;
  return found;
}

/** Whether a chart declares a key or reads it without a declaration. */
export const has = (chart: Chart, path: string): boolean =>
  lookup(chart.keys, path) !== undefined || chart.undeclared.includes(path);

/** Whether a value may stand where the chart has a default of a type. */
export function fits(value: unknown, type: Keys | string | undefined): boolean {
  if (type === undefined || type === 'null') return true;
  // Defaults of ports are empty strings, and that of kubeProxyReplacement is 'false'.
  if (type === 'string') return ['string', 'integer', 'boolean'].includes(typeOf(value));
  return typeOf(value) === (typeof type === 'string' ? type : 'object');
}
