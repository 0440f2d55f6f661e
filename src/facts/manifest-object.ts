import {
  changedFields,
  isTree,
  renderedAt,
  type FieldDifference,
  type FieldPath,
} from '../core/fields.ts';
import { fieldsByHand, ownerAt, type ManagedFields, type Owner } from './managers.ts';

/** An object of a manifest: as it was rendered, and as the cluster has it. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Undefined for what belongs to the whole cluster. */
  readonly namespace: string | undefined;
  readonly rendered: object;
  readonly live:
    | { readonly object: object; readonly managed: readonly ManagedFields[] }
    /** Why nobody could read it. */
    | { readonly why: string }
    | 'deleted';
}

/** A field of an object that is not as it was rendered. */
export interface ObjectDifference extends FieldDifference {
  readonly owner?: Owner;
}

/** Fields of no interest: what an object is called, and what it is not told but tells. */
const NOT_COMPARED = new Set(['apiVersion', 'kind', 'status']);
const NOT_OF_METADATA = new Set(['namespace', 'creationTimestamp']);

/**
 * Fields that were rendered and changed, whoever did it, and fields that somebody added past Helm
 * and the controllers.
 */
export function objectDifferences({ rendered, live }: ManifestObject): readonly ObjectDifference[] {
  if (live === 'deleted' || 'why' in live) return [];
  const { object, managed } = live;
  const changed = changedFields(compared(rendered), object).map((difference) => {
    const owner = ownerAt(managed, object, difference.path);
    return { ...difference, ...(owner === undefined ? {} : { owner }) };
  });
  const added = fieldsByHand(managed, object).flatMap(({ path, owner }) => {
    const found = valueAt(object, path);
    if (found === undefined || renderedAt(rendered, object, path) !== undefined) return [];
    return [{ path, wanted: undefined, found, owner }];
  });
  return [...changed, ...added];
}

/** What of a rendered object is held against the live one. */
export function compared(rendered: object): object {
  return Object.fromEntries(
    Object.entries(rendered).flatMap(([key, value]) => {
      if (NOT_COMPARED.has(key)) return [];
      if (key !== 'metadata' || !isTree(value)) return [[key, value] as const];
      const kept = Object.entries(value).filter(([name]) => !NOT_OF_METADATA.has(name));
      return [[key, Object.fromEntries(kept)] as const];
    }),
  );
}

/** What stands at a path; undefined when nothing does. */
export function valueAt(object: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return typeof step === 'number' ? at[step] : undefined;
    return isTree(at) ? at[step] : undefined;
  }, object);
}

/** `ConfigMap cilium-config`. */
export function objectName({ kind, name }: Pick<ManifestObject, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/** `spec.template.spec.containers[cilium-agent].args`, with names for places in lists. */
export function fieldText({ path }: FieldDifference, object: unknown): string {
  return path.reduce<string>((text, step, index) => {
    if (typeof step === 'string') return text === '' ? step : `${text}.${step}`;
    const element = valueAt(object, path.slice(0, index + 1));
    const name = isTree(element) ? element['name'] : undefined;
    return `${text}[${typeof name === 'string' ? name : step}]`;
  }, '');
}
