import type { Cluster, ClusterNode, FoundNodeConfig } from '../../deploy/cluster.ts';
import { foundNodeConfigs } from '../../deploy/node-config.ts';
import { allOf } from '../../output/together.ts';

/** Nodes with their labels, and the CiliumNodeConfigs that go by these. */
export interface ToldNodes {
  readonly nodes: readonly ClusterNode[];
  readonly configs: readonly FoundNodeConfig[];
}

/** What the nodes of a cluster are told now. Throws as the cluster does. */
export async function readToldNodes(
  cluster: Pick<Cluster, 'nodes' | 'nodeConfigVersion' | 'nodeConfigs'>,
  namespace: string,
): Promise<ToldNodes> {
  const [nodes, configs] = await allOf(cluster.nodes(), foundNodeConfigs(cluster, namespace));
  return { nodes, configs };
}
