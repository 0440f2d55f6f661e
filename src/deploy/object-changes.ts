import { createHash } from 'node:crypto';
import { changedFields, type FieldDifference } from '../core/fields.ts';
import { hideSecrets, isSecretAt } from '../core/secret-values.ts';
import { shortened } from '../core/text.ts';
import {
  compared,
  fieldText,
  objectName,
  valueAt,
  type ManifestObject,
} from '../facts/manifest-object.ts';

/** What an upgrade would do to one object. */
export interface ObjectChange {
  /** `DaemonSet cilium`. */
  readonly object: string;
  readonly what: 'create' | 'change' | 'delete';
  /** `spec.template.spec.containers[cilium-agent].image: a → b`. */
  readonly fields: readonly string[];
}

/**
 * What an upgrade would change on the live objects. Only fields that the chart sets, or did set, are
 * looked at: whatever the API server and others add is theirs.
 *
 * @param rendered what Helm would apply
 * @param applied what it applied last; none before the first install
 */
export function objectChanges(
  rendered: readonly ManifestObject[],
  applied: readonly ManifestObject[],
): readonly ObjectChange[] {
  const twin = (object: ManifestObject, others: readonly ManifestObject[]) =>
    others.find((other) => objectName(other) === objectName(object));
  const kept = rendered.flatMap((object) =>
    changeOf(object, twin(object, applied)?.rendered ?? {}),
  );
  const gone = applied.filter(
    (object) => object.live !== 'deleted' && twin(object, rendered) === undefined,
  );
  return [
    ...kept,
    ...gone.map((object) => ({ object: objectName(object), what: 'delete', fields: [] }) as const),
  ];
}

function changeOf(object: ManifestObject, before: object): readonly ObjectChange[] {
  const { live, rendered, kind } = object;
  const name = objectName(object);
  if (live === 'deleted') return [{ object: name, what: 'create', fields: [] }];
  if ('why' in live) return [{ object: name, what: 'change', fields: [`not read: ${live.why}`] }];
  const show = (value: unknown, { path }: FieldDifference, within: object): string =>
    kind === 'Secret' ? hashed(value) : shown(hideSecrets(value, isSecretAt(within, path)));
  const differ = changedFields(compared(rendered), live.object).map((field) => {
    const [found, wanted] = [field.found, field.wanted].map((is) => show(is, field, live.object));
    return `${fieldText(field, live.object)}: ${found} → ${wanted}`;
  });
  const removed = changedFields(compared(before), rendered)
    .filter((field) => isLost(field, live.object))
    .map((field) => `${fieldText(field, before)}: ${show(field.wanted, field, before)} → (none)`);
  const fields = [...differ, ...removed];
  return fields.length === 0 ? [] : [{ object: name, what: 'change', fields }];
}

/** Set before, not set any more, and still there. */
function isLost({ path, found }: FieldDifference, live: object): boolean {
  if (found !== undefined) return false;
  return typeof path.at(-1) === 'number' || valueAt(live, path) !== undefined;
}

const LONG = 60;
const NONE = '(none)';

/** A secret by what tells it from another one. */
function hashed(value: unknown): string {
  if (value === undefined) return NONE;
  const hash = createHash('sha256').update(textOf(value)).digest('hex').slice(0, 12);
  return `(sha256 ${hash})`;
}

function shown(value: unknown): string {
  return value === undefined ? NONE : shortened(textOf(value).replaceAll(/\s+/g, ' '), LONG);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
