import { isDeepStrictEqual } from 'node:util';
import { isTree } from '../core/fields.ts';
import { quoteArgv } from '../core/quote.ts';
import { hideSecrets, isSecretAt } from '../core/secret-values.ts';
import { isHelm } from '../facts/managers.ts';
import { valueAt, type ManifestObject, type ObjectDifference } from '../facts/manifest-object.ts';

/** Takes fields back, with Helm 4 too; what others added it leaves. */
const TAKE_BACK = 'ciliumship deploy --force-conflicts';

/**
 * The command that makes an object what it was rendered as: Helm's own changes are undone by a
 * deploy; a deploy leaves what others added, and Helm 4 refuses to take a field from them. No command
 * holds a secret: such fields are taken back by a deploy as well.
 */
export function objectRemedy(
  seen: ManifestObject,
  differences: readonly ObjectDifference[],
): string {
  // Nobody owns a field that is gone: whoever changed the others took it away.
  const owned = differences.filter(({ owner }) => owner !== undefined);
  const byHelm = owned.length > 0 && owned.every(({ owner }) => isHelm(owner));
  if (seen.live === 'deleted' || byHelm) return 'ciliumship deploy';
  const { object } = 'object' in seen.live ? seen.live : {};
  const plain = differences.filter((difference) => !isSecret(difference, object));
  const patch = plain.length === 0 ? [] : [patchCommand(seen, plain)];
  return [...patch, ...(plain.length < differences.length ? [TAKE_BACK] : [])].join(' && ');
}

function isSecret({ path, wanted }: ObjectDifference, object: unknown): boolean {
  const hidden = hideSecrets(wanted, isSecretAt(object, path));
  return !isDeepStrictEqual(hidden, wanted);
}

function patchCommand(seen: ManifestObject, differences: readonly ObjectDifference[]): string {
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

/** References of every container of a live workload. */
export function imagesOf({ live }: ManifestObject): readonly string[] {
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
