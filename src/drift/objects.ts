import { quoteArgv } from '../core/quote.ts';
import {
  changedFields,
  isTree,
  renderedAt,
  type FieldDifference,
  type FieldPath,
} from './fields.ts';
import { fieldsByHand, isHelm, ownerAt, type ManagedFields, type Owner } from './managers.ts';

/** An object of the release: as it was rendered, and as the cluster has it. */
export interface SeenObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Undefined for what belongs to the whole cluster. */
  readonly namespace: string | undefined;
  readonly rendered: object;
  readonly live:
    | { readonly object: object; readonly managed: readonly ManagedFields[] }
    /** Nobody could read it. */
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
export function objectDifferences({ rendered, live }: SeenObject): readonly ObjectDifference[] {
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

function compared(rendered: object): object {
  return Object.fromEntries(
    Object.entries(rendered).flatMap(([key, value]) => {
      if (NOT_COMPARED.has(key)) return [];
      if (key !== 'metadata' || !isTree(value)) return [[key, value] as const];
      const kept = Object.entries(value).filter(([name]) => !NOT_OF_METADATA.has(name));
      return [[key, Object.fromEntries(kept)] as const];
    }),
  );
}

function valueAt(object: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return typeof step === 'number' ? at[step] : undefined;
    return isTree(at) ? at[step] : undefined;
  }, object);
}

/** `ConfigMap cilium-config`. */
export function objectName({ kind, name }: Pick<SeenObject, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/**
 * The command that makes an object what it was rendered as: Helm's own changes are undone by a
 * deploy; a deploy leaves what others added, and Helm 4 refuses to take a field from them.
 */
export function objectRemedy(seen: SeenObject, differences: readonly ObjectDifference[]): string {
  // Nobody owns a field that is gone: whoever changed the others took it away.
  const owned = differences.filter(({ owner }) => owner !== undefined);
  const byHelm = owned.length > 0 && owned.every(({ owner }) => isHelm(owner));
  if (seen.live === 'deleted' || byHelm) return 'ciliumship deploy';
  // From the back: what goes from a list moves what stands behind it.
  const operations = differences.toReversed().map(patchOperation);
  const group = seen.apiVersion.includes('/') ? `.${seen.apiVersion.split('/')[0] ?? ''}` : '';
  return quoteArgv([
    'kubectl',
    'patch',
    `${seen.kind.toLowerCase()}${group}/${seen.name}`,
    ...(seen.namespace === undefined ? [] : ['-n', seen.namespace]),
    ...['--type', 'json', '-p', JSON.stringify(operations)],
  ]);
}

function patchOperation({ path, wanted, found }: ObjectDifference) {
  const at = `/${path.map(pointerStep).join('/')}`;
  if (wanted === undefined) return { op: 'remove', path: at };
  return { op: found === undefined ? 'add' : 'replace', path: at, value: wanted };
}

function pointerStep(step: string | number): string {
  return String(step).replaceAll('~', '~0').replaceAll('/', '~1');
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

/** References of every container of a live workload. */
export function imagesOf({ live }: SeenObject): readonly string[] {
  if (live === 'deleted' || 'why' in live) return [];
  const jobs = ['spec', 'jobTemplate', 'spec', 'template', 'spec'];
  const spec = valueAt(live.object, ['spec', 'template', 'spec']) ?? valueAt(live.object, jobs);
  if (!isTree(spec)) return [];
  const containers = ['initContainers', 'containers'].flatMap((key) => {
    const list = spec[key];
    return Array.isArray(list) ? list : [];
  });
  return containers.flatMap((container: unknown) => {
    const image = isTree(container) ? container['image'] : undefined;
    return typeof image === 'string' ? [image] : [];
  });
}
