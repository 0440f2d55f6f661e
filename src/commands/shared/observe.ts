import { toShipError, type ShipError } from '../../core/errors.ts';
import type { Digest } from '../../core/digest.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Cluster, HelmRelease } from '../../deploy/cluster.ts';
import { workloadsOf } from '../../deploy/manifest.ts';
import {
  changedNodeConfigs,
  labelChange,
  nodeConfigsOf,
  unwantedNodeConfigs,
} from '../../deploy/node-config.ts';
import type { LiveRelease, Observed, RunningContainer } from '../../drift/compare.ts';
import { openStore } from '../../image/store.ts';
import { cacheFolder } from '../../system/folders.ts';
import { openHelm } from '../../system/helm.ts';
import type { Context } from '../command.ts';
import { openClusterAccess } from './cluster.ts';
import { openDocker } from './docker.ts';
import type { Fleet } from './fleet.ts';
import { releaseNow } from './lock-file.ts';
import { probeFleet } from './probe-fleet.ts';
import { shippedNames } from './shipped-names.ts';
import { join } from 'node:path';

/** What was seen at every place, and why the others could not be looked at. */
export interface Observation {
  readonly seen: Observed;
  readonly failures: readonly ShipError[];
}

/**
 * Looks at every place at once; a place that does not answer leaves the others alone.
 *
 * @throws ShipError `interrupted`
 */
export async function observe(context: Context, fleet: Fleet): Promise<Observation> {
  const failures: ShipError[] = [];
  const orUnknown = async <T>(look: Promise<T>): Promise<T | undefined> =>
    look.catch((error: unknown) => {
      context.signal.throwIfAborted();
      failures.push(toShipError(error));
      return undefined;
    });
  const local = await orUnknown(localImages(context));
  const probed = await probeFleet(context, fleet, 'Look');
  failures.push(...probed.failures.values());
  const cluster = await orUnknown(lookAtCluster(context, fleet));
  const nodes = new Map(
    context.config.nodes.map(({ name }) => [name, probed.stores.get(name)] as const),
  );
  return { seen: { local, nodes, running: cluster?.running, release: cluster?.release }, failures };
}

/** Config digests of the images that Docker has; those that it lacks are left out. */
async function localImages(context: Context): Promise<ReadonlyMap<string, Digest>> {
  const docker = await openDocker(context);
  const store = await openStore(join(cacheFolder(), 'store'));
  const found = shippedNames(context.config).map(async (name) => {
    const seen = await docker.inspect(name, context.signal);
    if (seen === undefined) return [];
    // Docker's own id is the config digest on the classic store only.
    const known = await store.recall(seen.id);
    return [[name, known?.config.digest ?? seen.id] as const];
  });
  return new Map((await Promise.all(found)).flat());
}

async function lookAtCluster(context: Context, fleet: Fleet) {
  const { config, flags, signal } = context;
  await using access = await openClusterAccess(context, fleet);
  const namespace = flags.namespace ?? config.deploy.namespace;
  const helm = await openHelm({ kubeconfig: access.kubeconfig, context: flags.context }, signal);
  const { release: name, chart } = config.deploy;
  const release: HelmRelease = { name, namespace, chart, values: [] };
  const running = await containers(access.cluster, namespace);
  if ((await helm.status(release)) === undefined) return { running, release: 'none' as const };
  const manifest = (await helm.manifest(release)) ?? '';
  const live: LiveRelease = {
    ...(await releaseNow(helm, release)),
    images: workloadsOf(manifest).flatMap(({ images }) => images.map(({ image }) => image)),
    edits: await access.cluster.handEdits(namespace, manifest),
    open: await openOnNodes(context, access.cluster, namespace),
  };
  return { running, release: live };
}

/** Labels and CiliumNodeConfigs that are not as the config says. */
async function openOnNodes(
  { config }: Context,
  cluster: Cluster,
  namespace: string,
): Promise<readonly string[]> {
  const seen = await cluster.nodes();
  const labels = config.nodes.flatMap((node) => {
    const found = seen.find(({ name }) => name === kubernetesName(node));
    const change = found === undefined ? {} : labelChange(node, found);
    return Object.keys(change).map((label) => `label ${label} of ${node.name}`);
  });
  const version = await cluster.nodeConfigVersion();
  if (version === undefined) return labels;
  const found = await cluster.nodeConfigs(namespace, version);
  const wanted = nodeConfigsOf(config.nodes);
  const configs = [...changedNodeConfigs(wanted, found), ...unwantedNodeConfigs(wanted, found)];
  return [...labels, ...configs.map(({ name }) => `CiliumNodeConfig ${name}`)];
}

async function containers(
  cluster: Cluster,
  namespace: string,
): Promise<readonly RunningContainer[]> {
  const pods = await cluster.pods(namespace, '');
  return pods
    .filter(({ deleting }) => !deleting)
    .flatMap((pod) =>
      pod.containers.map(({ image, imageId }) => ({
        pod: pod.name,
        node: pod.node ?? '',
        image,
        imageId,
      })),
    );
}
