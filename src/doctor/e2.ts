import { found, ok, onNodes, unknown, type Fix, type Problem } from './problem.ts';
import { BLIND, detach, ofCilium } from './traffic.ts';
import type { TrafficProgram } from '../facts/bpf.ts';
import type { NodeView } from './view.ts';

function clear(node: Pick<NodeView, 'pins'>, device: string, at: readonly TrafficProgram[]): Fix {
  return {
    consent: 'confirm',
    device,
    withoutAgent: true,
    actions: at.map((program) => detach(node, program)),
  };
}

const EXAMPLE = { device: 'eth0', hook: 'tcx/ingress', program: 'cil_from_netdev', link: 103 };

export const e2: Problem = {
  id: 'E2',
  title: 'orphaned TCX links filter traffic with no agent behind them',
  patterns: [/arp.*(incomplete|failed)/i, /100% packet loss/i, /cil_(from|to)_netdev/],
  document:
    'After a crash `cil_from_netdev` and `cil_to_netdev` stay on the interface and drop every packet, also ARP. Detach each link with `bpftool link detach id`.',
  known:
    'That links outlive their agent is by design: traffic goes on while an agent restarts. Loss comes from stale or duplicate programs (N5), often behind a second mount of the bpffs (N4). That ARP is dropped could not be confirmed. Start the agent first where it can be started: it takes its links over. bpftool before 7.3 does not list TCX at all.',
  recognised:
    'no cilium-agent runs, and an interface has cil_* programs at its TCX or clsact hooks',
  example: clear({ pins: [] }, 'eth0', [EXAMPLE]),
  look: onNodes((node) => {
    const { traffic, agentRuns } = node;
    if (agentRuns) return ok('an agent runs and owns its programs');
    if (traffic === undefined) return unknown(BLIND);
    const [first, ...more] = ofCilium(traffic).filter(({ device }) => !device.startsWith('lxc'));
    if (first === undefined) return ok('no program of Cilium at any hook');
    const same = [first, ...more].filter(({ device }) => device === first.device);
    const names = same.map(({ hook, program }) => `${program} (${hook})`).join(', ');
    const proof = `${first.device} has ${names}, no agent runs`;
    return found(proof, clear(node, first.device, same));
  }),
};
