import type { Node } from '../../core/node.ts';
import { candidateNodes } from '../../deploy/candidates.ts';
import type { ClusterNode, HelmStatus } from '../../deploy/cluster.ts';
import {
  missingImages,
  requireNothingMissing,
  requireSameMachines,
  type Missing,
} from '../../deploy/gate.ts';
import { wayBackTo, type History } from '../../deploy/history.ts';
import { PROFILE_LABEL } from '../../deploy/node-config.ts';
import { asTold, nodesBefore } from '../../deploy/node-record.ts';
import { workloadsOf, type RenderedWorkload } from '../../deploy/manifest.ts';
import { namedBy } from '../../deploy/named.ts';
import { rolloutOrder } from '../../deploy/order.ts';
import type { Shipped } from '../../deploy/wanted.ts';
import type { NodeStore } from '../../facts/node-store.ts';
import type { Context } from '../command.ts';
import type { RollbackFlags } from '../rollback.ts';
import { helmOn, releaseOf, type ClusterAccess } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { freeNodes } from './free-nodes.ts';
import { goBack, type Return } from './go-back.ts';
import { readKnownSettings, recordNodesBefore, type KnownSettings } from './node-record.ts';
import { patient } from './patience.ts';
import { becomesByRollback } from './unfinished-text.ts';
import { rollbackTarget } from './rollback-target.ts';
import { usableRelease } from './release.ts';
import { restoreNodes, type Place } from './restore-nodes.ts';
import { agentSet, lookAtStores } from './rollout.ts';
import { namingTheState, sayingWhatStays } from './stopped-rollback.ts';
import { shipFromStore } from './ship-from-store.ts';
import { readToldNodes, type ToldNodes } from './told-nodes.ts';

/** What runs again. */
export interface RolledBack {
  readonly revision: number;
  /** What that revision names. */
  readonly shipped: Shipped;
  /** The nodes of the config, with the devices that they have again. */
  readonly nodes: readonly Node[];
}

/**
 * Goes back to an earlier revision, once every node is seen to have what it needs for that. Nodes get
 * back the profiles and devices that they had at that revision, as far as that is known.
 *
 * @throws ShipError `config` naming the images that are missing, or the revisions there are;
 * `deploy`, `network`
 */
export async function rollBack(
  context: Context<RollbackFlags>,
  fleet: Fleet,
  access: ClusterAccess,
): Promise<RolledBack> {
  const { config, flags } = context;
  const { cluster } = access;
  const helm = await helmOn(context, access);
  const on = { cluster, helm };
  const usable = await usableRelease(context, on, (open) => becomesByRollback(open, flags.to));
  const { history } = usable;
  const release = releaseOf(context);
  const known = await readKnownSettings(cluster, release);
  const target = await rollbackTarget(context, helm, usable, known);
  const workloads = workloadsOf((await helm.manifest(release, target.revision)) ?? '');
  const nodes = await cluster.nodes();
  const stores = await storesWith(context, fleet, { nodes, workloads, target });
  const candidates = candidateNodes(agentSet(workloads), nodes);
  const order = rolloutOrder(candidates, config.nodes, flags.canary ?? config.deploy.canary);
  const live = workloadsOf((await helm.manifest(release)) ?? '');
  const bearing = patient(context, fleet, cluster);
  const there = {
    ...{ cluster: bearing, helm, release, history },
    ...{ known, target, order, stores },
  };
  await sayingWhatStays(context, target.revision, async () => {
    await freeNodes(context, fleet, cluster, live, order);
    await goThere(context, { ...there, candidates });
  });
  const now = await readToldNodes(bearing, release.namespace);
  const devices = asTold(config.nodes, now.nodes, now.configs);
  return { revision: target.revision, shipped: namedBy(workloads, stores), nodes: devices };
}

/** Everything that the changing part of a rollback goes by. */
interface There extends Pick<Return, 'cluster' | 'helm' | 'release' | 'order' | 'stores'> {
  readonly history: History;
  readonly known: KnownSettings;
  readonly target: HelmStatus;
  readonly candidates: readonly ClusterNode[];
}

async function goThere(context: Context, there: There): Promise<void> {
  const { cluster, release, history, known, target } = there;
  const { namespace } = release;
  const place = { cluster, namespace };
  const { dryRun = false } = context.flags;
  if (!dryRun) await recordNodesBefore(context, cluster, release, history);
  const told = await restoreSettings(context, place, known, target);
  const to = { ...there, way: wayBackTo(history, target), planned: dryRun ? told : undefined };
  await namingTheState(context, { ...there, namespace }, target.revision, () =>
    goBack(context, to),
  );
}

/**
 * They are changed before Helm is asked: an agent that starts anew would obey.
 *
 * @returns what nodes are told then; undefined when that stays as it is
 */
async function restoreSettings(
  context: Context,
  place: Place,
  known: KnownSettings,
  target: HelmStatus,
): Promise<ToldNodes | undefined> {
  const had = known.at(target);
  if (had === undefined) {
    if (known.now.configs.length > 0) context.output.note(unrecorded(target));
    return undefined;
  }
  const { nodes, configs } = await readToldNodes(place.cluster, place.namespace);
  const before = nodesBefore(had, nodes, configs);
  await restoreNodes(context, place, before, [PROFILE_LABEL]);
  return {
    nodes: nodes.map((node) => before.nodes.find(({ name }) => name === node.name) ?? node),
    configs: [
      ...before.configs.map((config) => ({ ...config, ours: true })),
      ...configs.filter(({ ours }) => !ours),
    ],
  };
}

function unrecorded({ revision }: HelmStatus): string {
  return `the devices of the nodes stay: what they were at revision ${revision} was not recorded`;
}

/**
 * What every node has, once it has all that a revision names: what one lost is shipped from the blob
 * store first.
 */
async function storesWith(
  context: Context,
  fleet: Fleet,
  { nodes, workloads, target }: Destination,
): Promise<ReadonlyMap<string, NodeStore>> {
  const { config, flags } = context;
  const missingIn = (stores: ReadonlyMap<string, NodeStore>): readonly Missing[] =>
    missingImages(workloads, nodes, config.nodes, stores, {
      offline: config.deploy.offline,
      pinned: true,
    });
  const hint = `ship what revision ${target.revision} was made from: ciliumship push   (or choose another: ciliumship rollback --to REVISION)`;
  const stores = await lookAtStores(context, fleet);
  requireSameMachines(nodes, config.nodes, stores);
  const missing = missingIn(stores);
  requireNothingMissing(await shipFromStore(context, fleet, missing), hint);
  if (missing.length === 0 || flags.dryRun === true) return stores;
  const now = await lookAtStores(context, fleet);
  requireNothingMissing(missingIn(now), hint);
  return now;
}

/** A revision to go back to. */
interface Destination {
  readonly nodes: readonly ClusterNode[];
  readonly workloads: readonly RenderedWorkload[];
  readonly target: HelmStatus;
}
