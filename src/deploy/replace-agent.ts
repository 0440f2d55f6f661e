import { shortDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { Run, Step } from '../core/step.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AGENT_CONTAINER,
  agentOn,
  describePod,
  hasHash,
  isCurrent,
  isHopeless,
  restartsOf,
  runningImage,
  works,
  type AgentTarget,
} from './agents.ts';
import type { Cluster, Pod } from './cluster.ts';
import { NODE_CONFIG_ANNOTATION } from './node-config.ts';
import { HOLD_LABEL } from './values.ts';
import { waitFor } from '../core/wait.ts';
import { requireOthersReady, withoutNode, type Taking } from './others-ready.ts';

export interface Replacement extends Taking {
  readonly target: AgentTarget;
  /** Config digest that the agent must run; undefined when its image was not shipped by us. */
  readonly image: Digest | undefined;
  /** uids of agents that may be what ails the others: they are taken away whoever is down. */
  readonly suspects: ReadonlySet<string>;
  /** Milliseconds that it must stay ready. */
  readonly soak: number;
  /** The DaemonSet's own strategy started it, after its node's configuration was set. */
  readonly startedByChart?: boolean;
  /** The DaemonSet's own strategy deletes what is of another template, and we do not. */
  readonly byDaemonSet?: boolean;
  /** Uid of an agent that was right before anything was changed, and that nothing was changed for. */
  readonly untouched?: string | undefined;
  /** Looks once more, right before an agent is taken away: throws when the new one could not start. */
  readonly prepare?: (run: Run) => Promise<void>;
  /** Has the last word on a new agent: throws when the node is not as it should be. */
  readonly judge?: (pod: Pod, run: Run) => Promise<void>;
}

/** What the node had before its agent was replaced. */
interface Begun extends Replacement {
  readonly was: Pod | undefined;
}

/**
 * The step that replaces the agent of one node and judges the new one: the newest template, ready,
 * still the same pod with the same restarts after the soak, the very bytes that were shipped, and
 * what else `judge` asks.
 */
export function replaceAgentStep(wanted: Replacement, cluster: Cluster): Step<Pod> {
  const { node, namespace, target } = wanted;
  return {
    id: node,
    title: `replace the agent on ${node}`,
    plan: () => [`kubectl -n ${namespace} delete pod (the agent on ${node})`],
    done: async () => {
      const pod = await agentOn(cluster, namespace, node);
      return pod?.ready === true && isRight(pod, wanted) ? pod : undefined;
    },
    run: async (run) => {
      await wanted.prepare?.(run);
      const begun = { ...wanted, was: await startNew(wanted, cluster, run) };
      const pod = await becomeReady(begun, cluster, run);
      const same = await soak(begun, pod, cluster, run);
      requireImage(wanted, same);
      await wanted.judge?.(same, run);
      await cluster.annotatePod(namespace, same, { [NODE_CONFIG_ANNOTATION]: target.nodeConfig });
      return same;
    },
    describe: (pod) => `${node} runs ${shortImage(pod)}`,
  };
}

function isRight(pod: Pod, { target, untouched }: Replacement): boolean {
  return isCurrent(pod, target) || (pod.uid === untouched && hasHash(pod, target.hash));
}

/**
 * Deletes an agent of an older template or configuration, and lets a held node go.
 *
 * @returns the agent that was there
 */
async function startNew(wanted: Replacement, cluster: Cluster, run: Run): Promise<Pod | undefined> {
  const { node, namespace } = wanted;
  const old = await agentOn(cluster, namespace, node);
  if (old !== undefined && !isFresh(old, wanted) && !isTheirs(old, wanted)) {
    if (works(old) && !wanted.suspects.has(old.uid)) await requireOthersReady(wanted, cluster, run);
    run.progress({ text: `delete ${old.name}` });
    await cluster.deletePod(namespace, old);
  }
  await cluster.labelNode(node, { [HOLD_LABEL]: null });
  return old;
}

/** The DaemonSet's controller deletes it when it is its turn. */
function isTheirs(pod: Pod, { target, byDaemonSet }: Replacement): boolean {
  return byDaemonSet === true && !hasHash(pod, target.hash);
}

/** A pod of the newest template that nobody proved yet, and that cannot have an older node config. */
function isFresh(pod: Pod, { target, startedByChart }: Replacement): boolean {
  const proved = pod.annotations[NODE_CONFIG_ANNOTATION];
  const knowsDevices = target.nodeConfig === 'none' || startedByChart === true;
  return hasHash(pod, target.hash) && knowsDevices && proved === undefined;
}

function becomeReady(wanted: Begun, cluster: Cluster, run: Run): Promise<Pod> {
  const { node, namespace, target } = wanted;
  const look = async (): Promise<Pod | undefined> => {
    const pod = await agentOn(cluster, namespace, node);
    run.progress({ text: describePod(pod) });
    if (pod === undefined || !hasHash(pod, target.hash)) return undefined;
    if (isHopeless(pod)) throw await failed(wanted, cluster, 'given up');
    return pod.ready ? pod : undefined;
  };
  return waitFor(look, wanted.timeout, run.signal, () =>
    failed(wanted, cluster, `not ready after ${wanted.timeout / 1000} s`),
  );
}

async function soak(wanted: Begun, pod: Pod, cluster: Cluster, run: Run): Promise<Pod> {
  run.progress({ text: `watch ${pod.name} for ${wanted.soak / 1000} s` });
  await sleep(wanted.soak, undefined, { signal: run.signal });
  const now = await agentOn(cluster, wanted.namespace, wanted.node);
  if (now?.uid === pod.uid && now.ready && restartsOf(now) === restartsOf(pod)) return now;
  throw await failed(wanted, cluster, 'ready for a moment only');
}

function requireImage({ node, image }: Replacement, pod: Pod): void {
  const runs = runningImage(pod, AGENT_CONTAINER);
  if (image === undefined || runs === image) return;
  throw new ShipError(
    'deploy',
    `${node}: the agent runs ${runs === undefined ? 'nothing' : shortDigest(runs)}, not ${shortDigest(image)}`,
    { hint: 'see what runs where: ciliumship status' },
  );
}

function shortImage(pod: Pod): string {
  const image = runningImage(pod, AGENT_CONTAINER);
  return image === undefined ? 'nothing' : shortDigest(image);
}

async function failed(wanted: Begun, cluster: Cluster, what: string): Promise<ShipError> {
  const { node, namespace } = wanted;
  const pod = await agentOn(cluster, namespace, node).catch(() => undefined);
  const container = crashed(pod);
  const logs =
    pod === undefined ? [] : await cluster.logs(namespace, pod, container).catch(() => []);
  return new ShipError('deploy', `${node}: the new agent was ${what}: ${describePod(pod)}`, {
    details: [...logs, ...wayPast(wanted)],
    hint: wanted.hint,
  });
}

/** A node whose agent was down before may have a fault of its own, which no other agent mends. */
function wayPast({ node, all, was }: Begun): readonly string[] {
  if (was === undefined || works(was) || all.length < 2) return [];
  return [
    `the other nodes are left as they are while ${node} is down, as it was before; ${withoutNode(node)}`,
  ];
}

function crashed(pod: Pod | undefined): string {
  const all = [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])];
  return all.find(({ waiting }) => waiting !== undefined)?.name ?? AGENT_CONTAINER;
}
