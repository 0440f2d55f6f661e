import type { Cluster, Pod } from '../../src/deploy/cluster.ts';
import { NODE_CONFIG_ANNOTATION } from '../../src/deploy/node-config.ts';
import { agent, clusterThat } from './fake-cluster.ts';

/**
 * A DaemonSet on one node: there is `before` until it is deleted or the node is let go, and then one
 * of `after` at each look, the last for ever.
 */
export function daemonSet(before: Pod | undefined, ...after: readonly Pod[]) {
  const changes: string[] = [];
  let looks = -1;
  const cluster: Cluster = clusterThat({
    pods: async () => {
      if (changes.length === 0)
        return [agent('cilium-x', { node: 'master' }), ...(before ? [before] : [])];
      looks += 1;
      const now = after[looks] ?? after.at(-1);
      return now === undefined ? [] : [agent('cilium-x', { node: 'master' }), now];
    },
    deletePod: async (_, { name }) => void changes.push(`delete ${name}`),
    labelNode: async (name, labels) => void changes.push(`label ${name} ${JSON.stringify(labels)}`),
    annotatePod: async (_, { name }, { [NODE_CONFIG_ANNOTATION]: value }) =>
      void changes.push(`prove ${name} ${value}`),
    logs: async (_, { name }, from) => [`last words of ${name} ${from}`],
  });
  return { cluster, changes };
}
