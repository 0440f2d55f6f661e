/** CNIs that can be installed. */
export const CNI_NAMES = ['cilium', 'flannel', 'antrea'] as const;
export type CniName = (typeof CNI_NAMES)[number];

/** Where the agents of a CNI are in the cluster. */
export interface CniAgents {
  readonly name: CniName;
  readonly namespace: string;
  readonly daemonSet: string;
  readonly selector: string;
}

/** As each CNI's own manifest or chart names them; a release of Cilium may be elsewhere. */
const CNI_AGENTS: readonly CniAgents[] = [
  {
    name: 'cilium',
    namespace: 'kube-system',
    daemonSet: 'cilium',
    selector: 'k8s-app=cilium',
  },
  {
    name: 'flannel',
    namespace: 'kube-flannel',
    daemonSet: 'kube-flannel-ds',
    selector: 'app=flannel',
  },
  {
    name: 'antrea',
    namespace: 'kube-system',
    daemonSet: 'antrea-agent',
    selector: 'component=antrea-agent',
  },
];

/**
 * The agents of every CNI.
 *
 * @param cilium namespace of its release
 */
export function cniAgents(cilium: string): readonly CniAgents[] {
  return CNI_AGENTS.map((agents) =>
    agents.name === 'cilium' ? { ...agents, namespace: cilium } : agents,
  );
}

/** The agents of a CNI by its name. */
export function agentsOf(name: CniName): CniAgents {
  const found = CNI_AGENTS.find((known) => known.name === name);
  if (found === undefined) throw new Error(`no CNI is named ${name}`);
  return found;
}
