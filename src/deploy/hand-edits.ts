import {
  fieldText,
  objectDifferences,
  objectName,
  type ManifestObject,
  type ObjectDifference,
} from '../facts/manifest-object.ts';
import { isProgram } from '../facts/managers.ts';

/** Whoever scales an object leaves no name: its number of replicas has no owner then. */
const SCALED = 'kubectl scale';
/** Fields that are named of one edit. */
const SHOWN = 5;

/**
 * Fields of a release's objects that the chart sets and somebody changed past Helm, by hand or by a
 * program of theirs, as the API server recorded it. What somebody only added, such as the mark of `kubectl rollout restart`, is theirs.
 *
 * @returns `ConfigMap cilium-config: data.mtu (kubectl-edit)`, or `…: deleted`
 */
export function handEdits(objects: readonly ManifestObject[]): readonly string[] {
  return objects.flatMap((object) =>
    editsOf(object).map((edit) => `${objectName(object)}: ${edit}`),
  );
}

function editsOf(object: ManifestObject): readonly string[] {
  const { live } = object;
  if (live === 'deleted') return ['deleted'];
  if ('why' in live) return [];
  const changed = objectDifferences(object).filter(({ wanted }) => wanted !== undefined);
  const byManager = Map.groupBy(changed, managerOf);
  return [...byManager]
    .filter(([manager]) => manager !== undefined && !isProgram(manager))
    .map(([manager, fields]) => {
      const shown = fields.slice(0, SHOWN).map((field) => fieldText(field, live.object));
      return `${shown.join(', ')} (${manager})`;
    });
}

function managerOf({ owner, path }: ObjectDifference): string | undefined {
  return owner?.manager ?? (path.join('.') === 'spec.replicas' ? SCALED : undefined);
}
