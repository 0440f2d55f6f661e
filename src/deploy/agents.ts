import type { Digest } from '../core/digest.ts';
import type { Cluster, Pod } from './cluster.ts';
import { NODE_CONFIG_ANNOTATION } from './node-config.ts';

/** The agents of a cluster: pods of the DaemonSet that the chart calls `cilium`. */
export const AGENT_SELECTOR = 'k8s-app=cilium';
export const AGENT_SET = 'cilium';
export const AGENT_CONTAINER = 'cilium-agent';
export const ENVOY_SELECTOR = 'k8s-app=cilium-envoy';
export const ENVOY_SET = 'cilium-envoy';
export const OPERATOR_SELECTOR = 'io.cilium/app=operator';
export const OPERATOR_SET = 'cilium-operator';
export const OPERATOR_CONTAINER = 'cilium-operator';

/** What an agent must be to count as new. */
export interface AgentTarget {
  /** `controller-revision-hash` of the newest template. */
  readonly hash: string;
  /** Hash of its node's CiliumNodeConfig. */
  readonly nodeConfig: string;
}

/** True when an agent was started with the newest template and node configuration, and proved. */
export function isCurrent(pod: Pod, target: AgentTarget): boolean {
  return hasHash(pod, target.hash) && pod.annotations[NODE_CONFIG_ANNOTATION] === target.nodeConfig;
}

export function hasHash(pod: Pod, hash: string): boolean {
  return pod.labels['controller-revision-hash'] === hash && !pod.deleting;
}

/** The agent on a node; of two, the one that is not being deleted. */
export function agentAmong(pods: readonly Pod[], node: string): Pod | undefined {
  const here = pods.filter((pod) => pod.node === node);
  return here.find((pod) => !pod.deleting) ?? here[0];
}

/** The same, asked of the cluster. */
export async function agentOn(
  cluster: Cluster,
  namespace: string,
  node: string,
): Promise<Pod | undefined> {
  return agentAmong(await cluster.pods(namespace, AGENT_SELECTOR), node);
}

/** True of an agent that is there to stay and ready. */
export function works(pod: Pod | undefined): pod is Pod {
  return pod?.ready === true && !pod.deleting;
}

/** Config digest of what a pod's container runs. */
export function runningImage(pod: Pod | undefined, container: string): Digest | undefined {
  return pod?.containers.find(({ name }) => name === container)?.imageId;
}

export function restartsOf(pod: Pod): number {
  return pod.containers.reduce((sum, { restarts }) => sum + restarts, 0);
}

/** Why a pod is not ready, in one line. */
export function describePod(pod: Pod | undefined): string {
  if (pod === undefined) return 'there is no pod';
  if (pod.deleting) return `${pod.name} is still ending`;
  const waiting = [...pod.initContainers, ...pod.containers].find(
    (container) => container.waiting !== undefined,
  );
  if (waiting !== undefined) return `${pod.name}: ${waiting.name}: ${waiting.waiting}`;
  return `${pod.name} is ${pod.ready ? 'ready' : 'not ready'}, ${restartsOf(pod)} restarts`;
}

const ENOUGH_CRASHES = 3;

/** True when waiting longer will not make a pod ready: it crashed again and again, or cannot start. */
export function isHopeless({ containers, initContainers }: Pod): boolean {
  return [...initContainers, ...containers].some(
    ({ waiting, restarts }) =>
      waiting === 'ErrImageNeverPull' ||
      (waiting === 'CrashLoopBackOff' && restarts >= ENOUGH_CRASHES),
  );
}
