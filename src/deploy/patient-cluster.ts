import { untilAnswered, type Patience } from '../core/wait.ts';
import type { Cluster } from './cluster.ts';

/**
 * A cluster whose API server may be away for a while: what a rollout asks of it, and what it changes, is
 * tried again until there is an answer. An agent that takes over its node's network is expected to
 * interrupt both, so one call that fails says nothing of the agent.
 *
 * Logs, evidence and commands in containers come from kubelets, and their failure is an answer.
 */
export function patientCluster(cluster: Cluster, patience: Patience): Cluster {
  const again = <T>(call: () => Promise<T>): Promise<T> => untilAnswered(call, patience);
  return {
    ...cluster,
    nodes: () => again(() => cluster.nodes()),
    labelNode: (...what) => again(() => cluster.labelNode(...what)),
    pods: (...of) => again(() => cluster.pods(...of)),
    deletePod: (...which) => again(() => cluster.deletePod(...which)),
    annotatePod: (...what) => again(() => cluster.annotatePod(...what)),
    workload: (...which) => again(() => cluster.workload(...which)),
    currentHash: (...of) => again(() => cluster.currentHash(...of)),
    configMap: (...which) => again(() => cluster.configMap(...which)),
    applyConfigMap: (...what) => again(() => cluster.applyConfigMap(...what)),
    nodeConfigVersion: () => again(() => cluster.nodeConfigVersion()),
    nodeConfigs: (...of) => again(() => cluster.nodeConfigs(...of)),
    applyNodeConfig: (...what) => again(() => cluster.applyNodeConfig(...what)),
    deleteNodeConfig: (...which) => again(() => cluster.deleteNodeConfig(...which)),
  };
}
