import { kubernetesName } from '../../core/node.ts';
import type { ClusterNode, HelmStatus } from '../../deploy/cluster.ts';
import { repeatedOverUnfinished, type History } from '../../deploy/history.ts';
import { ownParts, PROFILE_LABEL } from '../../deploy/node-config.ts';
import { nodesBefore, type NodesBefore } from '../../deploy/node-record.ts';
import type { Context } from '../command.ts';
import { recordedAt } from './node-record.ts';
import type { Rollout } from './rollout.ts';
import type { ToldNodes } from './told-nodes.ts';

/** What nodes were told when a run began, and what it began over. */
interface ToldBefore extends ToldNodes {
  readonly history: History;
}

/** What nodes were told when this run began: that may be of a rollout that was not finished. */
export function shown({ nodes, configs }: ToldNodes): NodesBefore {
  return { nodes, configs: ownParts(configs) };
}

/**
 * What nodes were told at a revision, as far as that was written down. Where nothing unfinished came
 * after it, they were told it still, and whatever somebody changed since stays; else so does a label
 * that no rollout gave.
 *
 * @throws ShipError as the cluster does
 */
export async function toldAt(
  { config }: Context,
  { cluster, release }: Pick<Rollout, 'cluster' | 'release'>,
  before: ToldBefore,
  target: HelmStatus,
): Promise<NodesBefore> {
  const { history } = before;
  const ran = history.at(-1)?.revision === target.revision;
  if (ran && repeatedOverUnfinished(history) === undefined) return shown(before);
  const had = await recordedAt(cluster, release, target);
  if (had === undefined) return shown(before);
  const { nodes, configs } = nodesBefore(had, before.nodes, before.configs);
  const withProfile = config.nodes.filter(({ profile }) => profile !== undefined);
  const labelled = new Set(withProfile.map(kubernetesName));
  const told = before.nodes.map((node) => {
    if (!labelled.has(node.name) && !hasOurs(node, before)) return node;
    return nodes.find(({ name }) => name === node.name) ?? node;
  });
  return { nodes: told, configs };
}

/** The config may have lost a profile since an unfinished rollout gave its label. */
function hasOurs({ labels }: ClusterNode, { configs }: ToldNodes): boolean {
  return ownParts(configs).some(({ profile }) => profile === labels[PROFILE_LABEL]);
}
