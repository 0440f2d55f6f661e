import { AGENT_SELECTOR, AGENT_SET, hasHash } from './agents.ts';
import type { Cluster, Helm, HelmStatus, Pod, ReleaseName } from './cluster.ts';
import { isToGoBackTo, unfinishedRollout, type History } from './history.ts';
import { hasDaemonSet, sameTemplate } from './manifest.ts';
import { NODE_CONFIG_ANNOTATION } from './node-config.ts';

/** What asks for them. */
export interface Asked {
  readonly cluster: Pick<Cluster, 'pods' | 'currentHash'>;
  readonly helm: Pick<Helm, 'manifest'>;
}

/**
 * The agents that nobody proved and that for certain are of what was begun after the last finished
 * revision and not finished: they started since, and their template is not the finished one's. Of an
 * agent of which that cannot be told it is taken that it is what it should be.
 *
 * @param history as it is before Helm changes the template
 * @returns their uids
 * @throws ShipError as the cluster and Helm do
 */
export async function suspectAgents(
  { cluster, helm }: Asked,
  release: ReleaseName,
  history: History,
): Promise<ReadonlySet<string>> {
  const newest = unfinishedRollout(history);
  const begun = firstBegun(history);
  // What Helm failed over it may have applied or not.
  if (newest === undefined || begun === undefined || newest.status === 'failed') return new Set();
  const isNewest = await isOfNewest(helm, release, newest, history);
  const hash = await cluster.currentHash(release.namespace, AGENT_SET);
  if (isNewest === undefined || hash === undefined) return new Set();
  const pods = await cluster.pods(release.namespace, AGENT_SELECTOR);
  const suspects = pods.filter(
    (pod) =>
      pod.annotations[NODE_CONFIG_ANNOTATION] === undefined &&
      hasHash(pod, hash) === isNewest &&
      startedSince(pod, begun),
  );
  return new Set(suspects.map(({ uid }) => uid));
}

function finishedLast(history: History): HelmStatus | undefined {
  return history.findLast((entry) => isToGoBackTo(history, entry));
}

/** The first revision after the last finished one; undefined when Helm may have dropped that. */
function firstBegun(history: History): HelmStatus | undefined {
  const finished = finishedLast(history);
  if (finished !== undefined) return history[history.indexOf(finished) + 1];
  return history[0]?.revision === 1 ? history[0] : undefined;
}

/**
 * Whether agents of the newest template are those that are not finished, or all but them: the newest
 * revision may bring the finished template back. Undefined when that cannot be told.
 */
async function isOfNewest(
  helm: Asked['helm'],
  release: ReleaseName,
  newest: HelmStatus,
  history: History,
): Promise<boolean | undefined> {
  const finished = finishedLast(history);
  if (finished === undefined) return true;
  const [now = '', before = ''] = await Promise.all([
    helm.manifest(release, newest.revision),
    helm.manifest(release, finished.revision),
  ]);
  if (!hasDaemonSet(AGENT_SET, now) || !hasDaemonSet(AGENT_SET, before)) return undefined;
  return !sameTemplate(AGENT_SET, now, before);
}

/** Kubernetes notes whole seconds. */
function startedSince({ started }: Pod, { updated }: HelmStatus): boolean {
  return Date.parse(started ?? '') + 1000 > Date.parse(updated ?? '');
}
