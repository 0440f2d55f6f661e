import { ShipError } from '../../core/errors.ts';
import { candidateNodes } from '../../deploy/candidates.ts';
import type { HelmStatus } from '../../deploy/cluster.ts';
import { missingImages, requireNothingMissing, requireSameMachines } from '../../deploy/gate.ts';
import { isToGoBackTo, previousFinished, wayBackTo, type History } from '../../deploy/history.ts';
import { workloadsOf } from '../../deploy/manifest.ts';
import { namedBy } from '../../deploy/named.ts';
import { rolloutOrder } from '../../deploy/order.ts';
import type { Shipped } from '../../deploy/wanted.ts';
import type { Context } from '../command.ts';
import type { RollbackFlags } from '../rollback.ts';
import { helmOn, releaseOf, type ClusterAccess } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { freeNodes } from './free-nodes.ts';
import { goBack } from './go-back.ts';
import { usableRelease } from './release.ts';
import { agentSet, lookAtStores } from './rollout.ts';

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
  const target = targetOf(history, flags.to, release.name);
  const workloads = workloadsOf((await helm.manifest(release, target.revision)) ?? '');
  const [nodes, stores] = [await cluster.nodes(), await lookAtStores(context, fleet)];
  requireSameMachines(nodes, config.nodes, stores);
  const rules = { offline: config.deploy.offline, pinned: true };
  requireNothingMissing(
    missingImages(workloads, nodes, config.nodes, stores, rules),
    `ship what revision ${target.revision} was made from: ciliumship push   (or choose another: ciliumship rollback --to REVISION)`,
  );
  const candidates = candidateNodes(agentSet(workloads), nodes);
  const order = rolloutOrder(candidates, config.nodes, flags.canary ?? config.deploy.canary);
  const way = wayBackTo(history, target);
  const live = workloadsOf((await helm.manifest(release)) ?? '');
  await freeNodes(context, fleet, cluster, live, order);
  await goBack(context, { cluster, helm, release, way, order, stores });
  return { revision: target.revision, shipped: namedBy(workloads, stores) };
}

function targetOf(history: History, wanted: number | undefined, name: string): HelmStatus {
  const found =
    wanted === undefined
      ? previousFinished(history)
      : history.find(({ revision }) => revision === wanted);
  if (found !== undefined && isToGoBackTo(history, found)) return found;
  const finished = history.filter((entry) => isToGoBackTo(history, entry));
  const numbers = finished.map(({ revision }) => revision).join(', ');
  const what = wanted === undefined ? 'no earlier revision' : `no revision ${wanted}`;
  throw new ShipError('config', `release ${name}: ${what} that was rolled out to its end`, {
    hint:
      numbers === ''
        ? 'install it: ciliumship deploy'
        : `those are: ${numbers}; ciliumship rollback --to REVISION`,
  });
}
