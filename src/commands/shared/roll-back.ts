import { ShipError } from '../../core/errors.ts';
import { candidateNodes } from '../../deploy/candidates.ts';
import type { ClusterNode, Helm, HelmStatus } from '../../deploy/cluster.ts';
import {
  missingImages,
  requireNothingMissing,
  requireSameMachines,
  type Missing,
} from '../../deploy/gate.ts';
import { earlierRevision } from '../../deploy/earlier.ts';
import { isToGoBackTo, wayBackTo, type History } from '../../deploy/history.ts';
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
import { goBack } from './go-back.ts';
import { patient } from './patience.ts';
import { usableRelease } from './release.ts';
import { agentSet, lookAtStores } from './rollout.ts';
import { shipFromStore } from './ship-from-store.ts';

/**
 * Goes back to an earlier revision, once every node is seen to have what it needs for that.
 *
 * @returns the revision, and what it names
 * @throws ShipError `config` naming the images that are missing, or the revisions there are;
 * `deploy`, `network`
 */
export async function rollBack(
  context: Context<RollbackFlags>,
  fleet: Fleet,
  access: ClusterAccess,
): Promise<{ readonly revision: number; readonly shipped: Shipped }> {
  const { config, flags } = context;
  const { cluster } = access;
  const helm = await helmOn(context, access);
  const history = await usableRelease(context, helm, 'is undone now');
  const release = releaseOf(context);
  const target = await targetOf(context, helm, history);
  const workloads = workloadsOf((await helm.manifest(release, target.revision)) ?? '');
  const nodes = await cluster.nodes();
  const stores = await storesWith(context, fleet, { nodes, workloads, target });
  const candidates = candidateNodes(agentSet(workloads), nodes);
  const order = rolloutOrder(candidates, config.nodes, flags.canary ?? config.deploy.canary);
  const way = wayBackTo(history, target);
  const live = workloadsOf((await helm.manifest(release)) ?? '');
  await freeNodes(context, fleet, cluster, live, order);
  const bearing = patient(context, fleet, cluster);
  await goBack(context, { cluster: bearing, helm, release, way, order, stores });
  return { revision: target.revision, shipped: namedBy(workloads, stores) };
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

/** @throws ShipError `config` naming the revisions that one can go back to */
async function targetOf(
  context: Context<RollbackFlags>,
  helm: Helm,
  history: History,
): Promise<HelmStatus> {
  const wanted = context.flags.to;
  const found =
    wanted === undefined
      ? await differing(context, helm, history)
      : history.find(({ revision }) => revision === wanted);
  if (found !== undefined && isToGoBackTo(history, found)) return found;
  const finished = history.filter((entry) => isToGoBackTo(history, entry));
  const numbers = finished.map(({ revision }) => revision).join(', ');
  const what = wanted === undefined ? 'no other revision' : `no revision ${wanted}`;
  const { name } = releaseOf(context);
  throw new ShipError('config', `release ${name}: ${what} that was rolled out to its end`, {
    hint:
      numbers === ''
        ? 'install it: ciliumship deploy'
        : `those are: ${numbers}; ciliumship rollback --to REVISION`,
  });
}

/** Says which revisions are no way back. */
async function differing(
  context: Context,
  helm: Helm,
  history: History,
): Promise<HelmStatus | undefined> {
  const { target, same } = await earlierRevision(helm, releaseOf(context), history);
  if (same.length > 0) {
    context.output.note(`passed over, since it is what runs now: revision ${same.join(', ')}`);
  }
  return target;
}
