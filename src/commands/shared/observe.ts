import { toShipError, type ShipError } from '../../core/errors.ts';
import type { Digest } from '../../core/digest.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Cluster } from '../../deploy/cluster.ts';
import { workloadsOf } from '../../deploy/manifest.ts';
import {
  changedNodeConfigs,
  labelChange,
  nodeConfigsOf,
  unwantedNodeConfigs,
} from '../../deploy/node-config.ts';
import type { LiveRelease, Observed, RunningContainer } from '../../drift/compare.ts';
import { openStore } from '../../image/store.ts';
import type { Context } from '../command.ts';
import { openClusterAccess, releaseOf } from './cluster.ts';
import { openDocker } from './docker.ts';
import type { Fleet } from './fleet.ts';
import { readRelease } from './lock-file.ts';
import { probeFleet } from './probe-fleet.ts';
import { shippedNames } from './shipped-names.ts';
import { storeFolder } from './store.ts';

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
  const [local, probed, cluster] = await Promise.all([
    orFailure(context, localImages(context)),
    probeFleet(context, fleet, 'Look'),
    orFailure(context, lookAtCluster(context, fleet)),
  ]);
  const nodes = new Map(
    context.config.nodes.map(({ name }) => [name, probed.stores.get(name)] as const),
  );
  const { running, release } = cluster.seen ?? {};
  return {
    seen: { local: local.seen, nodes, running, release },
    failures: [...local.failed, ...probed.failures.values(), ...cluster.failed],
  };
}

/** What a look gave, or why it gave nothing. */
interface Looked<T> {
  readonly seen?: T;
  readonly failed: readonly ShipError[];
}

async function orFailure<T>({ signal }: Context, look: Promise<T>): Promise<Looked<T>> {
  try {
    return { seen: await look, failed: [] };
  } catch (error) {
    signal.throwIfAborted();
    return { failed: [toShipError(error)] };
  }
}

/** Config digests of the images that Docker has; those that it lacks are left out. */
async function localImages(context: Context): Promise<ReadonlyMap<string, Digest>> {
  const docker = await openDocker(context);
  const store = await openStore(storeFolder());
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
  await using access = await openClusterAccess(context, fleet);
  const { cluster } = access;
  const { namespace } = releaseOf(context);
  const [running, found] = await Promise.all([
    containers(cluster, namespace),
    readRelease(context, access),
  ]);
  if (found === undefined) return { running, release: 'none' as const };
  const { release, manifest } = found;
  const [edits, open] = await Promise.all([
    cluster.handEdits(namespace, manifest),
    openOnNodes(context, cluster, namespace),
  ]);
  const named = workloadsOf(manifest).flatMap(({ images }) => images.map(({ image }) => image));
  const live: LiveRelease = { ...release, images: named, edits, open };
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
