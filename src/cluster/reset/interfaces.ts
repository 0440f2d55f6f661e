import type { Action } from '../../core/action.ts';
import { makerOf } from '../../facts/made-links.ts';
import type { Remains } from '../../facts/remains.ts';
import type { Phase } from './phase.ts';

/** Before K3s's own script: with Cilium's interfaces there, that one may cut the node off. */
export const interfaces: Phase = {
  title: 'interfaces',
  actions: (remains) => [
    ...ofOpenVSwitch(remains),
    ...remains.links
      .filter(({ name, kind }) => goes(name) && kind !== OPEN_VSWITCH)
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
  const own = all.filter(({ name }) => goes(name));
  if (own.length === 0) return [];
  const shared = all.some(({ name }) => name !== DATAPATH && !goes(name));
  return shared
    ? own.map(({ name }) => dpctl('del-if', [DATAPATH, name], `the port ${name}`))
    : [dpctl('del-dp', [DATAPATH], `the datapath ${DATAPATH}`)];
}

function dpctl(verb: string, args: readonly string[], what: string): Action {
  const effect = `removes ${what} of Open vSwitch (by ovs-dpctl; without it a reboot does)`;
  return { argv: ['ovs-dpctl', verb, ...args], effect };
}

/** Whether an interface is one that a CNI or kube-proxy made. */
export function goes(name: string): boolean {
  return makerOf(name) !== undefined;
}

/** Interfaces that go. */
export function madeLinks({ links }: Remains): readonly string[] {
  return links.map(({ name }) => name).filter(goes);
}
