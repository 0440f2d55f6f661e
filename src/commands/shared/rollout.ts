import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { combineFailures, ShipError } from '../../core/errors.ts';
import type { ImageIdentity } from '../../core/image.ts';
import { AGENT_SET } from '../../deploy/agents.ts';
import { candidateNodes } from '../../deploy/candidates.ts';
import type { Cluster, ClusterNode, Helm, HelmRelease } from '../../deploy/cluster.ts';
import type { History } from '../../deploy/history.ts';
import {
  missingImages,
  requireNothingMissing,
  requireSameBytes,
  requireSameMachines,
} from '../../deploy/gate.ts';
import { workloadsOf, type RenderedWorkload } from '../../deploy/manifest.ts';
import { rolloutOrder } from '../../deploy/order.ts';
import { deriveValues, merge, OWN_ORDER } from '../../deploy/values.ts';
import type { Values } from '../../deploy/tree.ts';
import type { Surroundings } from '../../deploy/value-surroundings.ts';
import type { NodeStore } from '../../facts/node-store.ts';
import { together } from '../../output/together.ts';
import type { Context } from '../command.ts';
import { readApplied, type Applied } from './changes.ts';
import { releaseOf, type ClusterAccess } from './cluster.ts';
import type { DeployFlags } from './deploy-flags.ts';
import { shippedBlocks } from './extra-images.ts';
import type { Fleet } from './fleet.ts';
import { placedImages } from './placed.ts';
import { probeFleet } from './probe-fleet.ts';
import { fittingValues, readSurroundings } from './values-checks.ts';
import { readValues, sayMilder, type UserValues } from './values.ts';

/** Everything a rollout goes by, read before anything is changed. */
export interface Rollout {
  readonly cluster: Cluster;
  readonly helm: Helm;
  readonly namespace: string;
  /** As the user wants it in the end. */
  readonly release: HelmRelease;
  /** As it is while agents are replaced in our order. */
  readonly underWay: HelmRelease;
  readonly rendered: string;
  /** What Helm is given over the chart's defaults. */
  readonly values: Values;
  readonly workloads: readonly RenderedWorkload[];
  /** Nodes that get an agent. */
  readonly candidates: readonly ClusterNode[];
  /** Their names, the canary first. */
  readonly order: readonly string[];
  readonly images: readonly ImageIdentity[];
  /** What each node has, by its name in the config. */
  readonly stores: ReadonlyMap<string, NodeStore>;
  /** What was rolled out before. */
  readonly history: History;
  readonly applied: Applied;
}

/** Where a deploy goes. */
export interface DeployPlace {
  readonly fleet: Fleet;
  readonly access: ClusterAccess;
  /** What the values have to fit, where it was asked already. */
  readonly around?: Surroundings | undefined;
}

/**
 * Renders the chart with the final values and refuses what cannot work. Nothing is changed; chart,
 * machines, nodes and cluster are asked at the same time.
 *
 * @param history of the release
 * @throws ShipError `config` naming every image that is missing on a node, what chart or values lack,
 * or a canary that gets no agent; `network` when a node could not be asked
 */
export async function prepareRollout(
  context: Context<DeployFlags>,
  { fleet, access: { cluster, folder }, around }: DeployPlace,
  { helm, history }: { readonly helm: Helm; readonly history: History },
  images: readonly ImageIdentity[],
): Promise<Rollout> {
  const { config, flags } = context;
  const user = await readValues(context);
  const values = await writeValues(context, user, folder, images);
  const base = { ...releaseOf(context), chart: config.deploy.chart };
  const release = { ...base, values: values.final };
  const [problems, rendered, applied, nodes, stores] = await together(
    context.output,
    asked(context, fleet, user, around).then((found) => fittingValues(context, user, found)),
    helm.render(release),
    readApplied({ cluster, helm }, release),
    cluster.nodes(),
    lookAtStores(context, fleet),
  );
  sayMilder(context, user, problems);
  const workloads = workloadsOf(rendered);
  requireSameMachines(nodes, config.nodes, stores);
  requireSameBytes(images, stores);
  requireNothingMissing(missingImages(workloads, nodes, config.nodes, stores, config.deploy));
  const underWay = { ...base, values: values.underWay };
  const candidates = candidateNodes(agentSet(workloads), nodes);
  const order = rolloutOrder(candidates, config.nodes, flags.canary ?? config.deploy.canary);
  const { namespace } = release;
  const read = { rendered, values: values.tree, workloads, candidates, order, images, stores };
  return { cluster, helm, namespace, release, underWay, history, applied, ...read };
}

async function asked(
  context: Context,
  fleet: Fleet,
  user: UserValues,
  around: Surroundings | undefined,
): Promise<Surroundings> {
  return around ?? readSurroundings(context, fleet, user);
}

interface WrittenValues {
  readonly final: readonly string[];
  readonly underWay: readonly string[];
  readonly tree: Values;
}

/** Writes the derived values beside the user's own, which are passed to Helm as they are. */
async function writeValues(
  context: Context,
  user: UserValues,
  folder: string,
  images: readonly ImageIdentity[],
): Promise<WrittenValues> {
  const { config, output } = context;
  const own = user.file;
  if (own === undefined) {
    output.note(
      'no values file: the defaults of the chart are rolled out (deploy.values names one)',
    );
  }
  const placed = placedImages(config, images);
  const derived = join(folder, 'derived-values.yaml');
  const order = join(folder, 'order-values.yaml');
  const ours = deriveValues(placed, user.values, await shippedBlocks(context, user));
  await writeFile(derived, stringify(ours), { mode: 0o600 });
  await writeFile(order, stringify(OWN_ORDER), { mode: 0o600 });
  const final = [...(own === undefined ? [] : [own]), derived];
  return { final, underWay: [...final, order], tree: merge(user.values, ours) };
}

export function agentSet(workloads: readonly RenderedWorkload[]): RenderedWorkload {
  const found = workloads.find(({ kind, name }) => kind === 'DaemonSet' && name === AGENT_SET);
  if (found !== undefined) return found;
  throw new ShipError('config', `the rendered chart has no DaemonSet ${AGENT_SET}`, {
    hint: 'set deploy.chart to a Cilium chart',
  });
}

/** What every node of the config has: `--nodes` never narrows this. */
export async function lookAtStores(
  context: Context,
  fleet: Fleet,
): Promise<ReadonlyMap<string, NodeStore>> {
  const { stores, failures } = await probeFleet(context, fleet, 'Gate');
  if (failures.size > 0) throw combineFailures('deploy', failures);
  return stores;
}
