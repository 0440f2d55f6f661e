import { KubernetesObjectApi, PatchStrategy, type CustomObjectsApi } from '@kubernetes/client-node';
import type { Asker } from './errors.ts';

const GROUP = 'cilium.io';
const PLURAL = 'ciliumnodeconfigs';
const FIELD_MANAGER = 'ciliumship';

interface NodeConfig {
  readonly metadata?: {
    readonly name?: string;
    readonly managedFields?: readonly { readonly manager?: string }[];
  };
  readonly spec?: {
    readonly nodeSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly defaults?: Readonly<Record<string, string>>;
  };
}

/** Where CiliumNodeConfigs are, and the node label that each selects by. */
export interface NodeConfigPlace {
  readonly namespace: string;
  readonly version: string;
  readonly label: string;
}

/** The CiliumNodeConfigs of a namespace; `ours` are those that ciliumship applied. */
export async function listNodeConfigs(
  api: CustomObjectsApi,
  { ask }: Asker,
  { namespace, version, label }: NodeConfigPlace,
) {
  const found = (await ask(
    `list ${PLURAL}`,
    api.listNamespacedCustomObject({ group: GROUP, version, namespace, plural: PLURAL }),
  )) as { readonly items?: readonly NodeConfig[] } | undefined;
  return (found?.items ?? []).map(({ metadata, spec }) => ({
    name: metadata?.name ?? '',
    profile: spec?.nodeSelector?.matchLabels?.[label] ?? '',
    defaults: spec?.defaults ?? {},
    ours: metadata?.managedFields?.some(({ manager }) => manager === FIELD_MANAGER) === true,
  }));
}

/** Server-side apply: keys that others set stay, and a key that we set is ours from now on. */
export async function applyNodeConfig(
  api: KubernetesObjectApi,
  { demand }: Asker,
  { namespace, version, label }: NodeConfigPlace,
  config: { readonly name: string; readonly profile: string; readonly defaults: object },
): Promise<void> {
  const object = {
    apiVersion: `${GROUP}/${version}`,
    kind: 'CiliumNodeConfig',
    metadata: { name: config.name, namespace },
    spec: {
      nodeSelector: { matchLabels: { [label]: config.profile } },
      defaults: config.defaults,
    },
  };
  await demand(
    `apply CiliumNodeConfig ${config.name}`,
    api.patch(object, undefined, undefined, FIELD_MANAGER, true, PatchStrategy.ServerSideApply),
  );
}

/** Deletes one; that it is gone already is no failure. */
export async function deleteNodeConfig(
  api: CustomObjectsApi,
  { ask }: Asker,
  { namespace, version }: NodeConfigPlace,
  name: string,
): Promise<void> {
  const object = { group: GROUP, version, namespace, plural: PLURAL, name };
  await ask(`delete CiliumNodeConfig ${name}`, api.deleteNamespacedCustomObject(object));
}
