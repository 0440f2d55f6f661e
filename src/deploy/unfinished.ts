import { AGENT_SELECTOR, AGENT_SET, hasHash } from './agents.ts';
import type { Cluster, HelmStatus, Pod } from './cluster.ts';
import {
  beforeFailedRollbacks,
  isRollback,
  isWholeRollback,
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
 * revision without a staged twin is one revision only: whether it came to its end the record says, or
 * the templates of the agents. How well they are at the moment says nothing of it.
 *
 * @param recorded the revision that ciliumship brought to its end last, as the cluster keeps it
 * @throws ShipError as the cluster and `recorded` do
 */
export async function unfinishedWork(
  cluster: Pick<Cluster, 'pods' | 'currentHash'>,
  namespace: string,
  history: History,
  recorded: () => Promise<number | undefined>,
): Promise<Unfinished | undefined> {
  const reached = beforeFailedRollbacks(history);
  const back = rollbackUnderWay(reached);
  if (back !== undefined) return { kind: 'rollback', back };
  const open = unfinishedRollout(reached);
  if (open !== undefined) return { kind: 'rollout', revision: open.revision };
  const newest = history.at(-1);
  if (newest === undefined) return undefined;
  if (newest !== reached.at(-1)) return { kind: 'failed rollback', revision: newest.revision };
  if (!isRollback(newest) || isWholeRollback(history, newest)) return undefined;
  const ended = (await recorded()) ?? 0;
  if (ended === newest.revision) return undefined;
  // It followed on what we ended last, and no end of it was written down: it may have failed at a node.
  const mayHaveFailed = ended === newest.revision - 1;
  if (await isEverywhere(cluster, namespace, mayHaveFailed)) return undefined;
  return { kind: 'rollback', back: repeatedIn(history, newest) };
}

/** Whether every agent that stays is of the newest template; and was proved, as far as it does not work. */
async function isEverywhere(
  cluster: Pick<Cluster, 'pods' | 'currentHash'>,
  namespace: string,
  proved: boolean,
): Promise<boolean> {
  const hash = (await cluster.currentHash(namespace, AGENT_SET)) ?? '';
  const agents = await cluster.pods(namespace, AGENT_SELECTOR);
  const wasProved = (pod: Pod): boolean => pod.annotations[NODE_CONFIG_ANNOTATION] !== undefined;
  return agents
    .filter(({ deleting }) => !deleting)
    .every((pod) => hasHash(pod, hash) && (!proved || pod.ready || wasProved(pod)));
}
