import { isTree, placeOf, type FieldPath } from '../core/fields.ts';

/** Who set which fields of an object, as the API server keeps it. */
export interface ManagedFields {
  readonly manager?: string;
  readonly subresource?: string;
  readonly time?: string | Date;
  readonly fieldsV1?: object;
}

/** Whoever set a field last, and when. */
export interface Owner {
  readonly manager: string;
  readonly since?: string;
}

/** Programs that are part of a cluster, or of a rollout: what they add is their own business. */
const PROGRAMS = /^(helm|ciliumship|cilium|kube-|kubelet|k3s)/i;

/** True for Helm, ciliumship and the controllers of a cluster, by what they sign with. */
export function isProgram(manager: string): boolean {
  return PROGRAMS.test(manager);
}

/** Fields that people or their programs set, past Helm and the controllers of the cluster. */
export function fieldsByHand(
  managed: readonly ManagedFields[],
  live: object,
): readonly { readonly path: FieldPath; readonly owner: Owner }[] {
  return managed.flatMap((entry) => {
    const { manager = '', subresource, fieldsV1 } = entry;
    if (isProgram(manager) || subresource === 'status') return [];
    return ownedPaths(fieldsV1 ?? {}, live, []).map((path) => ({ path, owner: ownerOf(entry) }));
  });
}

/** Who set the field at a path, or something in it; the last of several. */
export function ownerAt(
  managed: readonly ManagedFields[],
  live: object,
  path: FieldPath,
): Owner | undefined {
  const owners = managed.filter(({ fieldsV1 }) =>
    ownedPaths(fieldsV1 ?? {}, live, []).some((owned) =>
      owned.every((step, index) => index >= path.length || step === path[index]),
    ),
  );
  const newest = owners.toSorted((a, b) => timeOf(a).localeCompare(timeOf(b))).at(-1);
  return newest === undefined ? undefined : ownerOf(newest);
}

/** True for Helm, under whatever name its program has. */
export function isHelm(owner: Owner | undefined): boolean {
  return owner !== undefined && /^helm/i.test(owner.manager);
}

function ownerOf(entry: ManagedFields): Owner {
  const since = timeOf(entry);
  return { manager: entry.manager ?? 'unknown', ...(since === '' ? {} : { since }) };
}

function timeOf({ time }: ManagedFields): string {
  if (time === undefined) return '';
  return (time instanceof Date ? time.toISOString() : time).replace(/\.\d+Z$/, 'Z');
}

/**
 * The fields of a `fieldsV1` as places of the live object: `{"f:data":{"f:mtu":{}}}` is
 * `[['data', 'mtu']]`. An element of a list that was added whole is one field.
 */
function ownedPaths(fields: object, live: unknown, above: FieldPath): readonly FieldPath[] {
  return Object.entries(fields).flatMap(([name, inner]: [string, unknown]) => {
    const step = stepOf(name, live);
    if (step === undefined) return [];
    const path = [...above, step];
    const below = isTree(inner) ? inner : {};
    const whole = typeof step === 'number' && '.' in below;
    if (whole || Object.keys(below).every((key) => key === '.')) return [path];
    return ownedPaths(below, valueIn(live, step), path);
  });
}

/** `f:mtu` → `mtu`, `k:{"name":"agent"}` → its place in the list; `.` is the parent itself. */
function stepOf(name: string, live: unknown): string | number | undefined {
  const text = name.slice(2);
  if (name.startsWith('f:')) return text;
  if (!Array.isArray(live) || !/^[kv]:/.test(name)) return undefined;
  const wanted: unknown = parsed(text);
  if (name.startsWith('v:') || !isTree(wanted)) {
    const at = live.findIndex((element) => JSON.stringify(element) === JSON.stringify(wanted));
    return at < 0 ? undefined : at;
  }
  const [[key, value] = ['', undefined], ...more] = Object.entries(wanted);
  if (more.length === 0) return placeOf(live, key, value);
  const at = live.findIndex(
    (element) =>
      isTree(element) && Object.entries(wanted).every(([field, own]) => element[field] === own),
  );
  return at < 0 ? undefined : at;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function valueIn(live: unknown, step: string | number): unknown {
  if (Array.isArray(live)) return typeof step === 'number' ? live[step] : undefined;
  return isTree(live) ? live[step] : undefined;
}
