/** Who makes interfaces on a node, besides its own network settings. */
export type Maker = 'cilium' | 'flannel' | 'antrea' | 'kube-proxy';

/**
 * What each of them makes, by all names that it gives: a reset removes what these name and nothing
 * else. `lxcbr0` is the bridge of LXC; `ovs-system` is there for whoever uses Open vSwitch.
 */
const MADE: readonly (readonly [maker: Maker, name: RegExp])[] = [
  [
    'cilium',
    /^(cilium_(host|net|vxlan|geneve|wg\d+|ipip\d|tunl\d?|ip6tnl)|lxc([0-9a-f]{4,12}|_health))$/,
  ],
  ['flannel', /^(flannel[.-].*|cni0)$/],
  ['antrea', /^(antrea-.*|genev_sys_\d+)$/],
  ['kube-proxy', /^kube-ipvs0$/],
];

/** Ends of pods and containers, whoever runs them. */
const ENDS = /^(lo$|veth)/;
const BRIDGES = /^(cni|docker)\d+$/;

/** Who made an interface, by its name; undefined when it is none of theirs. */
export function makerOf(name: string): Maker | undefined {
  return MADE.find(([, names]) => names.test(name))?.[0];
}

/** True for an interface whose addresses are those of pods: no network of the node is there. */
export function isOfPods(name: string): boolean {
  return ENDS.test(name) || makerOf(name) !== undefined;
}

/** True for an interface that nobody would name in a config: a CNI or a container made it. */
export function isMade(name: string): boolean {
  return isOfPods(name) || BRIDGES.test(name);
}
