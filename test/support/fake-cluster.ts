import type { Cluster, ClusterNode, Pod, PodContainer } from '../../src/deploy/cluster.ts';
import type { Node } from '../../src/core/node.ts';
import { AGENT_CONTAINER } from '../../src/deploy/agents.ts';
import { digestOf } from './values.ts';

/** Objects of a cluster and of the config, each as usual as can be, but for `more`. */

export function configNode(name: string, more: Partial<Node> = {}): Node {
  return { name, ssh: name, role: 'agent', devices: [], ...more };
}

export function clusterNode(name: string, more: Partial<ClusterNode> = {}): ClusterNode {
  return { name, labels: {}, taints: [], ready: true, bootId: '', machineId: '', ...more };
}

export function container(more: Partial<PodContainer> = {}): PodContainer {
  const image = 'quay.io/cilium/cilium:dev';
  return { name: AGENT_CONTAINER, image, imageId: digestOf('agent'), restarts: 0, ...more };
}

/** A ready agent of template `new` on node `worker`. */
export function agent(name: string, more: Partial<Pod> = {}): Pod {
  return {
    name,
    uid: `uid of ${name}`,
    node: 'worker',
    labels: { 'controller-revision-hash': 'new' },
    annotations: {},
    ready: true,
    deleting: false,
    containers: [container()],
    initContainers: [],
    ...more,
  };
}

/** A cluster that can only what a test gives it; everything else is a mistake of the test. */
export function clusterThat(parts: Partial<Cluster>): Cluster {
  return new Proxy(parts, {
    get: (own, name: keyof Cluster) => {
      const part = own[name];
      if (part === undefined) throw new Error(`this test has no cluster.${name}`);
      return part;
    },
  }) as Cluster;
}
