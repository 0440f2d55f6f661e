import {
  ApiextensionsV1Api,
  AppsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { lastLines } from '../../core/text.ts';
import { loadKubeconfig, type Kubeconfig } from './config.ts';
import { objectWriter } from './apply.ts';
import { fieldConflicts } from './conflicts.ts';
import { createAsker } from './errors.ts';
import { MAX_LOG, podEvidence } from './evidence.ts';
import { execIn } from './exec.ts';
import { applyConfigMap } from './config-map.ts';
import { manifestObjects } from './manifest-objects.ts';
import { clusterHealth } from './health.ts';
import { leasesOf } from './leases.ts';
import { applyNodeConfig, deleteNodeConfig, listNodeConfigs } from './node-configs.ts';
import { stuckPods } from './stuck-pods.ts';
import { toDaemonSet, toDeployment, toNode, toPod } from './objects.ts';

const MERGE = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);
const DEADLINE = 30_000;
/** Milliseconds for a log: it comes from the kubelet, and that of a broken node never answers. */
const LOG_DEADLINE = 5_000;
const NODE_CONFIG_CRD = 'ciliumnodeconfigs.cilium.io';

interface PodName {
  readonly name: string;
  readonly uid: string;
}

/**
 * The cluster behind a kubeconfig.
 *
 * @param label of nodes by which a CiliumNodeConfig selects them
 * @param signal ends every call
 * @param deadline milliseconds for each call
 * @throws ShipError `config` when the kubeconfig cannot be used
 */
export function openCluster(
  kubeconfig: Kubeconfig,
  context: string | undefined,
  label: string,
  signal: AbortSignal,
  deadline: number = DEADLINE,
) {
  const bounds = { signal, deadline };
  const config = loadKubeconfig(kubeconfig, context, bounds);
  const { ask, demand } = createAsker(bounds);
  const slow = createAsker({ signal, deadline: Math.min(deadline, LOG_DEADLINE) });
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const crds = config.makeApiClient(ApiextensionsV1Api);
  const custom = config.makeApiClient(CustomObjectsApi);
  const objects = KubernetesObjectApi.makeApiClient(config);
  return {
    leases: leasesOf(config.makeApiClient(CoordinationV1Api), { ask, demand }),
    ...clusterHealth(config, { ask, demand }),
    ...objectWriter(objects, { ask, demand }),

    nodes: async () => (await demand('list nodes', core.listNode())).items.map(toNode),

    async labelNode(name: string, labels: Readonly<Record<string, string | null>>) {
      await demand(
        `label node ${name}`,
        core.patchNode({ name, body: { metadata: { labels } } }, MERGE),
      );
    },

    async pods(namespace: string, labelSelector: string) {
      const found = await demand('list pods', core.listNamespacedPod({ namespace, labelSelector }));
      const alive = found.items.filter(
        ({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed',
      );
      return alive.map(toPod);
    },

    stuckPods: () => stuckPods(core, { ask, demand }),

    async deletePod(namespace: string, { name, uid }: PodName) {
      const body = { preconditions: { uid } };
      await ask(`delete pod ${name}`, core.deleteNamespacedPod({ name, namespace, body }));
    },

    async annotatePod(
      namespace: string,
      { name, uid }: PodName,
      annotations: Readonly<Record<string, string>>,
    ) {
      const body = { metadata: { uid, annotations } };
      await demand(
        `annotate pod ${name}`,
        core.patchNamespacedPod({ name, namespace, body }, MERGE),
      );
    },

    async workload(namespace: string, kind: 'DaemonSet' | 'Deployment', name: string) {
      if (kind === 'Deployment') {
        const found = await ask(name, apps.readNamespacedDeployment({ name, namespace }));
        return found && toDeployment(found);
      }
      const found = await ask(name, apps.readNamespacedDaemonSet({ name, namespace }));
      return found && toDaemonSet(found);
    },

    async currentHash(namespace: string, daemonSet: string) {
      const { items } = await demand(
        'list controller revisions',
        apps.listNamespacedControllerRevision({ namespace }),
      );
      const own = items.filter(({ metadata }) =>
        metadata?.ownerReferences?.some(
          ({ kind, name }) => kind === 'DaemonSet' && name === daemonSet,
        ),
      );
      const newest = own.toSorted((a, b) => b.revision - a.revision)[0];
      return newest?.metadata?.labels?.['controller-revision-hash'];
    },

    async configMap(namespace: string, name: string) {
      const found = await ask(name, core.readNamespacedConfigMap({ name, namespace }));
      return found && (found.data ?? {});
    },

    async nodeConfigVersion() {
      const found = await ask(
        NODE_CONFIG_CRD,
        crds.readCustomResourceDefinition({ name: NODE_CONFIG_CRD }),
      );
      const established = found?.status?.conditions?.some(
        ({ type, status }) => type === 'Established' && status === 'True',
      );
      if (established !== true) return undefined;
      const served = new Set(
        found?.spec.versions.flatMap(({ name, served: is }) => (is ? [name] : [])),
      );
      return (['v2', 'v2alpha1'] as const).find((version) => served.has(version));
    },

    nodeConfigs: (namespace: string, version: string) =>
      listNodeConfigs(custom, { ask, demand }, { namespace, version, label }),

    applyNodeConfig: (
      namespace: string,
      version: string,
      object: { readonly name: string; readonly profile: string; readonly defaults: object },
    ) => applyNodeConfig(objects, { ask, demand }, { namespace, version, label }, object),

    deleteNodeConfig: (namespace: string, version: string, name: string) =>
      deleteNodeConfig(custom, { ask, demand }, { namespace, version, label }, name),

    applyConfigMap: (namespace: string, name: string, data: Readonly<Record<string, string>>) =>
      applyConfigMap(objects, { ask, demand }, { namespace, name }, data),

    objects: (namespace: string, manifest: string, withSecrets = false) =>
      manifestObjects(objects, { ask, demand }, namespace, manifest, withSecrets),

    conflicts: (namespace: string, manifest: string) =>
      fieldConflicts(objects, { ask, demand }, namespace, manifest),

    exec: (namespace: string, pod: PodName, container: string, command: readonly string[]) =>
      execIn(config, { namespace, pod: pod.name, container }, command),

    evidence: (namespace: string, pod: PodName) => podEvidence(core, slow, namespace, pod),

    async logs(namespace: string, { name }: PodName, container: string) {
      const read = (previous: boolean) =>
        core.readNamespacedPodLog({
          ...{ name, namespace, container, previous },
          ...{ tailLines: 20, limitBytes: MAX_LOG },
        });
      const found = await slow.ask(
        `log of ${name}`,
        read(true).catch(() => read(false)),
      );
      return lastLines(found ?? '', 20);
    },
  };
}
