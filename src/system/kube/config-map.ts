import { PatchStrategy, type KubernetesObjectApi } from '@kubernetes/client-node';
import type { Asker } from './errors.ts';

const FIELD_MANAGER = 'ciliumship';

/** Server-side apply: what others put into it stays. */
export async function applyConfigMap(
  api: KubernetesObjectApi,
  { demand }: Asker,
  metadata: { readonly namespace: string; readonly name: string },
  data: Readonly<Record<string, string>>,
): Promise<void> {
  const labels = { 'app.kubernetes.io/managed-by': FIELD_MANAGER };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, labels }, data };
  await demand(
    `apply ConfigMap ${metadata.name}`,
    api.patch(object, undefined, undefined, FIELD_MANAGER, true, PatchStrategy.ServerSideApply),
  );
}
