import { ShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { waitFor } from '../../core/wait.ts';
import type { CniAgents } from './known.ts';
import type { KubeObject } from './manifest.ts';

/** What installing and removing a manifest needs of the cluster. */
export interface ObjectCluster {
  /** Whether applying an object would change nothing. */
  isApplied(object: KubeObject): Promise<boolean>;
  applyObject(object: KubeObject): Promise<void>;
  deleteObject(object: KubeObject): Promise<void>;
  hasObject(object: KubeObject): Promise<boolean>;
  /** What applying again would make of it, or undefined when it is not there. */
  readObject(object: KubeObject): Promise<KubeObject | undefined>;
}

interface Workload {
  readonly observed: boolean;
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
}

export interface AgentCluster {
  workload(namespace: string, kind: 'DaemonSet', name: string): Promise<Workload | undefined>;
}

/** Server-side apply of one object. */
export function applyStep(object: KubeObject, cluster: ObjectCluster): Step<'applied' | 'there'> {
  return {
    id: idOf(object),
    title: `apply ${nameOf(object)}`,
    plan: () => [`kubectl apply --server-side: ${nameOf(object)}`],
    done: async () => ((await cluster.isApplied(object)) ? 'there' : undefined),
    run: async () => {
      await cluster.applyObject(object);
      return 'applied';
    },
  };
}

/** Removes one object and does not wait for what it holds. */
export function removeStep(object: KubeObject, cluster: ObjectCluster): Step<'removed' | 'gone'> {
  return {
    id: idOf(object),
    title: `delete ${nameOf(object)}`,
    plan: () => [`kubectl delete ${nameOf(object)}`],
    done: async () => ((await cluster.hasObject(object)) ? undefined : 'gone'),
    run: async () => {
      await cluster.deleteObject(object);
      return 'removed';
    },
  };
}

/**
 * Waits until the agents of a CNI are ready on every node that gets one.
 *
 * @param timeout milliseconds
 */
export function agentsReadyStep(
  agents: CniAgents,
  cluster: AgentCluster,
  timeout: number,
): Step<number> {
  const { name, namespace, daemonSet } = agents;
  const look = async (): Promise<number | undefined> => {
    const set = await cluster.workload(namespace, 'DaemonSet', daemonSet);
    return set !== undefined && isReady(set) ? set.ready : undefined;
  };
  return {
    id: name,
    title: `wait for the agents of ${name}`,
    done: look,
    run: ({ signal }) => waitFor(look, timeout, signal, () => late(agents, cluster)),
    describe: (count) => `${count} agents ready`,
  };
}

function isReady({ observed, desired, updated, ready }: Workload): boolean {
  return observed && desired > 0 && updated >= desired && ready >= desired;
}

async function late(
  { namespace, daemonSet }: CniAgents,
  cluster: AgentCluster,
): Promise<ShipError> {
  const set = await cluster.workload(namespace, 'DaemonSet', daemonSet);
  const state = set === undefined ? 'does not exist' : `${set.ready} of ${set.desired} pods ready`;
  return new ShipError('deploy', `DaemonSet ${daemonSet}: ${state}`, {
    hint: `see why: kubectl -n ${namespace} describe daemonset ${daemonSet}; kubectl -n ${namespace} logs daemonset/${daemonSet}`,
  });
}

/** `DaemonSet kube-flannel/kube-flannel-ds`. */
function nameOf({ kind, metadata: { name, namespace } }: KubeObject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function idOf(object: KubeObject): string {
  return nameOf(object).replaceAll(' ', '/');
}
