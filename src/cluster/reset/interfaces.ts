import type { Remains } from '../../facts/remains.ts';
import type { Phase } from './phase.ts';

/** Before K3s's own script: with Cilium's interfaces there, that one may cut the node off. */
export const interfaces: Phase = {
  title: 'interfaces',
  actions: (remains) =>
    madeLinks(remains).map((name) => ({
      argv: ['ip', 'link', 'delete', 'dev', name],
      effect: `removes the interface ${name}`,
    })),
};

const MADE =
  /^(cilium_(host|net|vxlan|geneve|wg\d+|ipip\d|tunl\d?|ip6tnl)|lxc([0-9a-f]{4,12}|_health)|flannel[.-].*|cni0|kube-ipvs0|antrea-.*|genev_sys_\d+)$/;

/** Whether a CNI or kube-proxy made an interface of this name; lxcbr0 of LXC is another's. */
export function isMade(name: string): boolean {
  return MADE.test(name);
}

/** Interfaces that go. */
export function madeLinks({ links }: Remains): readonly string[] {
  return links.map(({ name }) => name).filter(isMade);
}
