import { createHash } from 'node:crypto';
import { parseAllDocuments } from 'yaml';
import { isTree, type Values } from './tree.ts';

/** An object of a manifest, and what the cluster has under its name. */
export interface LiveObject {
  readonly kind: string;
  readonly name: string;
  /** Undefined when there is none. */
  readonly live: Values | undefined;
}

/** What an upgrade would do to one object. */
export interface ObjectChange {
  /** `DaemonSet cilium`. */
  readonly object: string;
  readonly what: 'create' | 'change' | 'delete';
  /** `spec.template.spec.containers.0.image: a → b`. */
  readonly fields: readonly string[];
}

/**
 * What an upgrade would change on the live objects. Only fields that the chart sets, or did set, are
 * looked at: whatever the API server and others add is theirs.
 *
 * @param rendered what Helm would apply
 * @param applied what it applied last; empty before the first install
 */
export function objectChanges(
  rendered: string,
  applied: string,
  live: readonly LiveObject[],
): readonly ObjectChange[] {
  const now = objectsOf(rendered);
  const before = objectsOf(applied);
  const of = (key: string): Values | undefined => live.find((one) => keyOf(one) === key)?.live;
  const kept = [...now].flatMap(([key, wanted]): readonly ObjectChange[] => {
    const found = of(key);
    if (found === undefined) return [{ object: key, what: 'create', fields: [] }];
    const fields = changedFields(wanted, before.get(key) ?? {}, found);
    return fields.length === 0 ? [] : [{ object: key, what: 'change', fields }];
  });
  const gone = [...before.keys()].filter((key) => !now.has(key) && of(key) !== undefined);
  return [...kept, ...gone.map((object) => ({ object, what: 'delete', fields: [] }) as const)];
}

function keyOf({ kind, name }: Pick<LiveObject, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

function objectsOf(manifest: string): ReadonlyMap<string, Values> {
  const all = parseAllDocuments(manifest).map((document) => document.toJS() as unknown);
  return new Map(
    all.filter(isTree).flatMap((object) => {
      const { kind, metadata } = object;
      const name = isTree(metadata) ? metadata['name'] : undefined;
      return typeof kind === 'string' && typeof name === 'string'
        ? [[keyOf({ kind, name }), object] as const]
        : [];
    }),
  );
}

function changedFields(wanted: Values, before: Values, live: Values): readonly string[] {
  const secret = wanted['kind'] === 'Secret';
  const show = (value: string | undefined): string => shown(value, secret);
  const fields = flat(wanted);
  const lost = [...flat(before).keys()].filter((path) => !fields.has(path));
  const now = flat(live);
  const differ = [...fields]
    .filter(([path, value]) => !isSame(value, now.get(path)))
    .map(([path, value]) => `${path}: ${show(now.get(path))} → ${show(value)}`);
  const removed = lost
    .filter((path) => now.has(path))
    .map((path) => `${path}: ${show(now.get(path))} → (none)`);
  return [...differ, ...removed];
}

/** Every plain value by its path; what is empty or null is as good as not there. */
function flat(value: unknown, path = ''): Map<string, string> {
  const inner = Array.isArray(value) || isTree(value) ? Object.entries(value) : undefined;
  if (inner === undefined) return new Map(plain(value).map((text) => [path, text]));
  const below = inner.flatMap(([key, one]) => [...flat(one, path === '' ? key : `${path}.${key}`)]);
  return new Map(below);
}

/** As text: the API server writes numbers as texts and the other way round where both are taken. */
function plain(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];
}

/** What is empty is left out by the API server. */
function isSame(wanted: string, live: string | undefined): boolean {
  return live === undefined ? ['', 'false', '0'].includes(wanted) : wanted === live;
}

const LONG = 60;

/** A secret by what tells it from another one. */
function shown(text: string | undefined, secret: boolean): string {
  if (text === undefined) return '(none)';
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  if (secret) return `(sha256 ${hash})`;
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > LONG ? `${line.slice(0, LONG)}…` : line;
}
