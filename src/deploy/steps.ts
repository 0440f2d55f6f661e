import { ShipError } from '../core/errors.ts';
import type { Step } from '../core/step.ts';
import { OPERATOR_SET } from './agents.ts';
import type {
  Cluster,
  ClusterNode,
  Helm,
  HelmRelease,
  LabelChange,
  NodeConfigObject,
  NodeConfigVersion,
  ReleaseName,
  Workload,
} from './cluster.ts';
import { backTo } from './descriptions.ts';
import type { Repair } from './history.ts';
import { changedNodeConfigs, unwantedNodeConfigs } from './node-config.ts';
import { waitFor } from '../core/wait.ts';

/** The steps around the replacement of agents. Each may be repeated. */

/** Sets the labels of one node. */
export function labelStep(node: ClusterNode, labels: LabelChange, cluster: Cluster): Step<string> {
  const text = Object.entries(labels)
    .map(([key, value]) => (value === null ? `${key}-` : `${key}=${value}`))
    .join(' ');
  return {
    id: `label/${node.name}`,
    title: `label ${node.name}: ${text}`,
    plan: () => [`kubectl label --overwrite node ${node.name} ${text}`],
    run: async () => {
      await cluster.labelNode(node.name, labels);
      return text;
    },
    describe: () => `${node.name} ${text}`,
  };
}

/** `helm upgrade --install`, without any waiting of Helm's own. */
export function upgradeStep(
  helm: Pick<Helm, 'upgrade'>,
  release: HelmRelease,
  description: string,
): Step<number> {
  const files = release.values.map((file) => `-f ${file}`).join(' ');
  const wait = release.wait === undefined ? '' : ` --wait --timeout ${release.wait / 1000}s`;
  return {
    id: 'helm',
    title: `helm upgrade ${release.name}`,
    plan: () => [
      `helm upgrade --install ${release.name} ${release.chart} -n ${release.namespace} ${files} --description "${description}"${wait}`,
    ],
    run: () => helm.upgrade(release, description),
    describe: (revision) => `revision ${revision}`,
  };
}

/** `helm rollback` to an explicit revision: Helm's own choice may be one that failed. */
export function rollbackStep(
  helm: Pick<Helm, 'rollback'>,
  release: ReleaseName,
  revision: number,
): Step<number> {
  return {
    id: `helm/${revision}`,
    title: `helm rollback ${release.name} ${revision}`,
    plan: () => [`helm rollback ${release.name} ${revision} -n ${release.namespace}`],
    run: async () => {
      await helm.rollback(release, revision);
      return revision;
    },
    describe: () => `revision ${revision} again`,
  };
}

/**
 * `helm upgrade` to what an earlier revision applied, with the order of agents left to us.
 *
 * @param upgrade does it
 */
export function heldStep(
  { name, namespace }: ReleaseName,
  revision: number,
  upgrade: () => Promise<number>,
): Step<number> {
  const what = `what revision ${revision} applied, with OnDelete`;
  return {
    id: 'helm/held',
    title: `helm upgrade ${name} to ${what}`,
    plan: () => [
      `helm upgrade ${name} (${what}) -n ${namespace} --description "${backTo(revision)}"`,
    ],
    run: upgrade,
    describe: (made) => `revision ${made} is as ${revision}`,
  };
}

/** Frees a release that a killed Helm left in the middle of something. */
export function repairStep(
  helm: Pick<Helm, 'rollback' | 'uninstall'>,
  release: ReleaseName,
  repair: Repair,
): Step<number> {
  if ('revision' in repair) return rollbackStep(helm, release, repair.revision);
  return {
    id: 'helm/uninstall',
    title: `helm uninstall ${release.name}`,
    plan: () => [`helm uninstall ${release.name} -n ${release.namespace}`],
    run: async () => {
      await helm.uninstall(release);
      return 0;
    },
    describe: () => 'removed',
  };
}

/** Waits until a workload runs its newest template with every pod ready. */
export function readyStep(
  cluster: Cluster,
  namespace: string,
  { kind, name }: Pick<Workload, 'kind' | 'name'>,
  timeout: number,
): Step<Workload> {
  const look = async (): Promise<Workload | undefined> => {
    const found = await cluster.workload(namespace, kind, name);
    return found !== undefined && isReady(found) ? found : undefined;
  };
  return {
    id: `${kind}/${name}`,
    title: `wait for ${name}`,
    done: look,
    run: ({ signal }) =>
      waitFor(look, timeout, signal, () => late(cluster, namespace, { kind, name })),
    describe: ({ ready }) => `${name} ${ready} ready`,
  };
}

function isReady({ observed, desired, updated, ready }: Workload): boolean {
  return observed && updated >= desired && ready >= desired;
}

async function late(
  cluster: Cluster,
  namespace: string,
  { kind, name }: Pick<Workload, 'kind' | 'name'>,
): Promise<ShipError> {
  const found = await cluster.workload(namespace, kind, name);
  const state =
    found === undefined ? 'does not exist' : `${found.ready} of ${found.desired} pods ready`;
  return new ShipError('deploy', `${kind} ${name}: ${state}`, {
    hint: `see why: kubectl -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
  });
}

/**
 * Waits for the CRD that the operator makes, then sets the CiliumNodeConfigs that differ.
 *
 * @param gone those that are there and will be taken away, as far as that is known beforehand
 */
export function nodeConfigStep(
  cluster: Cluster,
  namespace: string,
  wanted: readonly NodeConfigObject[],
  timeout: number,
  gone: readonly Pick<NodeConfigObject, 'name'>[] = [],
): Step<readonly string[]> {
  const names = wanted.map(({ name }) => name);
  return {
    id: 'node-configs',
    title: `set the devices of ${[...names, ...gone.map(({ name }) => name)].join(', ')}`,
    plan: () => [
      ...wanted.map(({ name, defaults }) => `CiliumNodeConfig ${name}: ${devicesText(defaults)}`),
      ...gone.map(({ name }) => `kubectl -n ${namespace} delete ciliumnodeconfig ${name}`),
    ],
    done: async () => {
      const version = await cluster.nodeConfigVersion();
      if (version === undefined) return undefined;
      const { change, remove } = await openConfigs(cluster, namespace, version, wanted);
      return change.length + remove.length === 0 ? names : undefined;
    },
    run: async ({ signal }) => {
      const version = await waitFor(
        () => cluster.nodeConfigVersion(),
        timeout,
        signal,
        () => noCrd(namespace),
      );
      const { change, remove } = await openConfigs(cluster, namespace, version, wanted);
      for (const config of change) await cluster.applyNodeConfig(namespace, version, config);
      for (const { name } of remove) await cluster.deleteNodeConfig(namespace, version, name);
      return names;
    },
    describe: () => names.join(', '),
  };
}

function devicesText(defaults: NodeConfigObject['defaults']): string {
  const set = Object.entries(defaults).map(([key, value]) => `${key}: ${value}`);
  return set.length === 0 ? 'no devices' : set.join(', ');
}

/** The CiliumNodeConfigs to set, and those to take away. */
async function openConfigs(
  cluster: Cluster,
  namespace: string,
  version: NodeConfigVersion,
  wanted: readonly NodeConfigObject[],
) {
  const found = await cluster.nodeConfigs(namespace, version);
  return {
    change: changedNodeConfigs(wanted, found),
    remove: unwantedNodeConfigs(wanted, found),
  };
}

function noCrd(namespace: string): ShipError {
  return new ShipError('deploy', 'the operator did not make the CRD of CiliumNodeConfig', {
    hint: `see its log: kubectl -n ${namespace} logs deploy/${OPERATOR_SET}`,
  });
}
