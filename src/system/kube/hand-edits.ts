import type { KubernetesObject, KubernetesObjectApi } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import type { Asker } from './errors.ts';

/** Every kubectl command that changes an object signs with a name that begins so. */
const BY_HAND = /^kubectl/;
/** Fields that are named of one edit. */
const SHOWN = 5;

/**
 * Fields of a release's objects that somebody set by hand, as the API server recorded it. Helm does
 * not see them: it compares its own manifests.
 *
 * @returns `ConfigMap cilium-config: data.mtu (kubectl-edit)`, or `…: deleted`
 */
export async function handEdits(
  api: KubernetesObjectApi,
  { ask }: Asker,
  namespace: string,
  manifest: string,
): Promise<readonly string[]> {
  const rendered = parseAllDocuments(manifest).flatMap((document) => {
    const object = document.toJS() as KubernetesObject | null;
    return object?.kind === undefined || object.metadata?.name === undefined ? [] : [object];
  });
  const found = rendered.map(async (object) => {
    const { apiVersion = 'v1', kind = '', metadata } = object;
    const header = { name: metadata?.name ?? '', namespace: metadata?.namespace ?? namespace };
    // Secrets are none of our business: nothing that drift does needs a right to them.
    if (kind === 'Secret') return [];
    const live = await ask(
      `${kind} ${header.name}`,
      api.read({ apiVersion, kind, metadata: header }),
    );
    const edits = live === undefined ? ['deleted'] : editsOf(object, live);
    return edits.map((edit) => `${kind} ${header.name}: ${edit}`);
  });
  return (await Promise.all(found)).flat();
}

/** Set by hand, and not to what Helm applied. */
function editsOf(rendered: KubernetesObject, live: KubernetesObject): readonly string[] {
  return (live.metadata?.managedFields ?? []).flatMap(({ manager = '', subresource, fieldsV1 }) => {
    if (!BY_HAND.test(manager) || subresource !== undefined) return [];
    const fields = leaves(fieldsV1 ?? {}).filter(
      (path) => JSON.stringify(valueAt(rendered, path)) !== JSON.stringify(valueAt(live, path)),
    );
    const shown = fields.slice(0, SHOWN).map((path) => path.join('.'));
    return shown.length === 0 ? [] : [`${shown.join(', ')} (${manager})`];
  });
}

/** Undefined on both sides inside of lists, whose elements have keys of their own. */
function valueAt(object: object, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : at,
    object,
  );
}

/** `{"f:data":{"f:mtu":{}}}` → `[['data', 'mtu']]`; elements of lists are not gone into. */
function leaves(fields: object, above: readonly string[] = []): readonly (readonly string[])[] {
  return Object.entries(fields).flatMap(([key, inner]) => {
    if (key === '.') return [];
    if (!key.startsWith('f:')) return [above];
    const path = [...above, key.slice('f:'.length)];
    const below = typeof inner === 'object' && inner !== null ? leaves(inner, path) : [];
    return below.length > 0 ? below : [path];
  });
}
