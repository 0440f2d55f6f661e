import type { KubernetesObject, KubernetesObjectApi } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import type { Asker } from './errors.ts';

/**
 * The objects of a manifest as the cluster has them now.
 *
 * @throws ShipError as `Asker`
 */
export async function liveObjects(
  api: KubernetesObjectApi,
  { ask }: Asker,
  namespace: string,
  manifest: string,
) {
  const objects = parseAllDocuments(manifest).flatMap((document) => {
    const object = document.toJS() as KubernetesObject | null;
    return object?.kind === undefined || object.metadata?.name === undefined ? [] : [object];
  });
  const found = objects.map(async ({ apiVersion = 'v1', kind = '', metadata }) => {
    const header = { name: metadata?.name ?? '', namespace: metadata?.namespace ?? namespace };
    const asked = api.read({ apiVersion, kind, metadata: header }).catch(noSuchKind);
    const live = await ask(`${kind} ${header.name}`, asked);
    return { kind, name: header.name, live: live && { ...live } };
  });
  return Promise.all(found);
}

/** A kind whose CRD comes with the operator is not there before the first install. */
function noSuchKind(error: unknown): undefined {
  if (error instanceof Error && /Unrecognized API version and kind/i.test(error.message)) {
    return undefined;
  }
  throw error;
}
