import { AGENT_SELECTOR, AGENT_SET, hasHash } from './agents.ts';
import type { Cluster, HelmStatus, Pod } from './cluster.ts';
import {
  beforeFailedRollbacks,
  isRollback,
  repeatedIn,
  rollbackUnderWay,
  unfinishedRollout,
  type History,
} from './history.ts';
import { NODE_CONFIG_ANNOTATION } from './node-config.ts';

/** What was begun with a release and did not come to its end. */
export type Unfinished =
  | { readonly kind: 'rollout'; readonly revision: number }
  /** Helm itself failed over it. */
  | { readonly kind: 'failed rollback'; readonly revision: number }
  | {
      readonly kind: 'rollback';
      /** Where it goes. */
      readonly back: HelmStatus;
    };

/**
 * What the newest revision of a release leaves to be done; undefined when nothing is. A rollback to a
 * revision without a staged twin is one revision only: whether it came to its end the agents show.
 *
 * @throws ShipError as the cluster does
 */
export async function unfinishedWork(
  cluster: Pick<Cluster, 'pods' | 'currentHash'>,
  namespace: string,
  history: History,
): Promise<Unfinished | undefined> {
  const reached = beforeFailedRollbacks(history);
  const back = rollbackUnderWay(reached);
  if (back !== undefined) return { kind: 'rollback', back };
  const open = unfinishedRollout(reached);
  if (open !== undefined) return { kind: 'rollout', revision: open.revision };
  const newest = history.at(-1);
  if (newest === undefined) return undefined;
  if (newest !== reached.at(-1)) return { kind: 'failed rollback', revision: newest.revision };
  if (!isRollback(newest) || (await isEverywhere(cluster, namespace))) return undefined;
  return { kind: 'rollback', back: repeatedIn(history, newest) };
}

/** Whether every agent is of the newest template, and was proved as far as it does not work. */
async function isEverywhere(
  cluster: Pick<Cluster, 'pods' | 'currentHash'>,
  namespace: string,
): Promise<boolean> {
  const hash = (await cluster.currentHash(namespace, AGENT_SET)) ?? '';
  const agents = await cluster.pods(namespace, AGENT_SELECTOR);
  const wasProved = (pod: Pod): boolean => pod.annotations[NODE_CONFIG_ANNOTATION] !== undefined;
  return agents.every((pod) => hasHash(pod, hash) && (pod.ready || wasProved(pod)));
}
