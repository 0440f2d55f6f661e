import { ShipError } from '../../core/errors.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Cluster } from '../../deploy/cluster.ts';
import {
  changedNodeConfigs,
  foundNodeConfigs,
  nodeConfigsOf,
  PROFILE_LABEL,
  unwantedNodeConfigs,
} from '../../deploy/node-config.ts';
import type { RunningContainer } from '../../drift/compare-images.ts';
import type { NodeSetting } from '../../drift/compare-nodes.ts';
import type { Observed } from '../../drift/compare.ts';
import type { ShipLock } from '../../drift/lock-file.ts';
import type { Context } from '../command.ts';
import { releaseOf, type ClusterAccess } from './cluster.ts';
import type { Looking } from './observe.ts';
import { readKeptRelease } from './kept-release.ts';

/** What of the cluster is looked at. */
export interface ClusterParts {
  readonly running: boolean;
  readonly release: boolean;
}

interface Of {
  readonly lock: ShipLock;
  readonly wanted: ClusterParts;
  readonly looking: Looking;
}

/** Looks at the cluster: each part by itself, because the right to one is no right to another. */
export async function lookAtCluster(
  context: Context,
  access: ClusterAccess,
  { lock, wanted, looking }: Of,
): Promise<Observed> {
  const [running, release] = await Promise.all([
    wanted.running ? looking.look(containers(context, access.cluster)) : undefined,
    wanted.release ? lookAtRelease(context, access, { lock, wanted, looking }) : {},
  ]);
  return { ...(running === undefined ? {} : { running }), ...release };
}

async function lookAtRelease(
  context: Context,
  access: ClusterAccess,
  { lock, looking }: Of,
): Promise<Observed> {
  const { cluster } = access;
  const { namespace } = releaseOf(context);
  if (lock.release === undefined) return { release: await looking.look(neverRolledOut()) };
  const kept = await looking.look(readKeptRelease(context, access, lock));
  if ('why' in kept) return { release: kept, objects: kept };
  if (kept.seen === 'none') return { release: { seen: 'none' } };
  const { live, manifest } = kept.seen;
  const [objects, labels, nodeConfigs] = await Promise.all([
    looking.look(cluster.objects(namespace, manifest)),
    looking.look(labelSettings(context, cluster)),
    looking.look(nodeConfigSettings(context, cluster)),
  ]);
  if ('seen' in objects) noteUnread(objects.seen, looking);
  return { release: { seen: live }, objects, settings: [labels, nodeConfigs] };
}

/** What should run is not known then, whatever does. */
async function neverRolledOut(): Promise<never> {
  throw new ShipError('config', 'ciliumship.lock says nothing of a release yet', {
    hint: 'roll out, which writes it: ciliumship deploy   (before that: ciliumship drift --only images)',
  });
}

/** What one object hides is no failure of the look, but a reason to end with its class. */
function noteUnread(objects: Awaited<ReturnType<Cluster['objects']>>, { failures }: Looking): void {
  const whys = objects.flatMap(({ live }) =>
    live !== 'deleted' && 'why' in live ? [live.why] : [],
  );
  for (const why of new Set(whys)) failures.push(new ShipError('identity', why));
}

async function labelSettings(
  { config }: Context,
  cluster: Cluster,
): Promise<readonly NodeSetting[]> {
  const seen = await cluster.nodes();
  return config.nodes.flatMap((node) => {
    const labels = seen.find(({ name }) => name === kubernetesName(node))?.labels;
    if (node.profile === undefined) return [];
    const found = labels === undefined ? 'no such node' : (labels[PROFILE_LABEL] ?? 'nothing');
    return [{ what: `label ${PROFILE_LABEL} of ${node.name}`, wanted: node.profile, found }];
  });
}

async function nodeConfigSettings(
  context: Context,
  cluster: Cluster,
): Promise<readonly NodeSetting[]> {
  const wanted = nodeConfigsOf(context.config.nodes);
  const found = await foundNodeConfigs(cluster, releaseOf(context).namespace);
  const changed = new Set(changedNodeConfigs(wanted, found).map(({ name }) => name));
  const settings = wanted.map(({ name, defaults, profile }) => {
    const text = JSON.stringify({ profile, ...defaults });
    const live = found.find((config) => config.name === name);
    const now =
      live === undefined ? 'nothing' : JSON.stringify({ profile: live.profile, ...live.defaults });
    return {
      what: `CiliumNodeConfig ${name}`,
      wanted: text,
      found: changed.has(name) ? now : text,
    };
  });
  const extra = unwantedNodeConfigs(wanted, found).map(({ name }) => ({
    what: `CiliumNodeConfig ${name}`,
    wanted: 'nothing',
    found: 'not in the config',
  }));
  return [...settings, ...extra];
}

async function containers(
  context: Context,
  cluster: Cluster,
): Promise<readonly RunningContainer[]> {
  const { namespace } = releaseOf(context);
  const pods = await cluster.pods(namespace, '');
  return pods
    .filter(({ deleting }) => !deleting)
    .flatMap((pod) =>
      pod.containers.map(({ image, imageId, byManifest }) => ({
        ...{ pod: pod.name, namespace, node: pod.node ?? '', image, imageId, byManifest },
        started: pod.started,
      })),
    );
}
