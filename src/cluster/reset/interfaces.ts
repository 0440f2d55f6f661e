import type { Action } from '../../core/action.ts';
import type { Remains } from '../../facts/remains.ts';
import type { Phase } from './phase.ts';

/** Before K3s's own script: with Cilium's interfaces there, that one may cut the node off. */
export const interfaces: Phase = {
  title: 'interfaces',
  actions: (remains) => [
    ...ofOpenVSwitch(remains),
    ...remains.links
      .filter(({ name, kind }) => isMade(name) && kind !== OPEN_VSWITCH)
      .map(({ name }) => ({
        argv: ['ip', 'link', 'delete', 'dev', name] as const,
        effect: `removes the interface ${name}`,
      })),
  ],
};

const OPEN_VSWITCH = 'openvswitch';
const DATAPATH = 'ovs-system';

/**
 * Ports of Antrea, which `ip link delete` refuses. The datapath goes with them unless it has ports of
 * others, such as those of virtual machines.
 */
function ofOpenVSwitch({ links }: Remains): readonly Action[] {
  const all = links.filter(({ kind }) => kind === OPEN_VSWITCH);
  const own = all.filter(({ name }) => isMade(name));
  if (own.length === 0) return [];
  const shared = all.some(({ name }) => name !== DATAPATH && !isMade(name));
  return shared
    ? own.map(({ name }) => dpctl('del-if', [DATAPATH, name], `the port ${name}`))
    : [dpctl('del-dp', [DATAPATH], `the datapath ${DATAPATH}`)];
}

function dpctl(verb: string, args: readonly string[], what: string): Action {
  const effect = `removes ${what} of Open vSwitch (by ovs-dpctl; without it a reboot does)`;
  return { argv: ['ovs-dpctl', verb, ...args], effect };
}

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
