import { isPinOf } from '../facts/bpf.ts';
import { found, ok, onNodes, type Fix, type Problem } from './problem.ts';

const PROGRAM = 'cil_xdp_entry';

function unpin(device: string, pin: string): Fix {
  return {
    consent: 'safe',
    device,
    withoutAgent: true,
    actions: [
      {
        argv: ['rm', '-f', '--', pin],
        effect: `detaches the program; traffic on ${device} goes past XDP`,
        undo: 'a starting agent attaches its program again',
      },
    ],
  };
}

/** Of a program without a pin: only what was attached without a link goes like this. */
function switchOff(device: string): Fix {
  return {
    consent: 'safe',
    device,
    withoutAgent: true,
    actions: [
      {
        argv: ['ip', 'link', 'set', 'dev', device, 'xdp', 'off'],
        effect: `detaches the program; traffic on ${device} goes past XDP`,
        undo: 'a starting agent attaches its program again',
      },
    ],
  };
}

export const e1: Problem = {
  id: 'E1',
  title: 'an orphaned XDP link holds the interface',
  patterns: [/can.t replace active bpf xdp link/i, /xdp.*device or resource busy/i],
  document:
    'Cilium 1.19 attaches XDP by a BPF link, which `ip link set xdp off` cannot remove. Find the ids with `bpftool net list` and detach each with `bpftool link detach id`.',
  known:
    'An agent that is gone left a pinned link; `ip link set … xdp off` removes only programs attached without one. So it is since Cilium 1.15. The ids that `bpftool net list` prints for XDP are those of programs, not of links: given to `link detach` they fail, or hit a stranger’s link. Removing the pin detaches exactly this link. A new build may also fail to take over the link of an older one (`update link: invalid argument`): there too, the pin goes while the agent is down.',
  recognised: 'no cilium-agent runs, and an interface has cil_xdp_entry',
  example: unpin('eth0', '/sys/fs/bpf/cilium/devices/eth0/links/cil_xdp_entry'),
  look: onNodes(({ machine, pins, agentRuns }) => {
    const link = machine.links.find(({ xdp }) => xdp?.program === PROGRAM);
    if (link === undefined) return ok(`no interface has ${PROGRAM}`);
    if (agentRuns) return ok(`${link.name} has ${PROGRAM} of the agent that runs`);
    const pin = pins.find((at) => isPinOf(at, link.name) && at.program === PROGRAM);
    if (pin === undefined) {
      return found(`${link.name} has ${PROGRAM}, no pin, no agent runs`, switchOff(link.name));
    }
    const proof = `${link.name} has ${PROGRAM} pinned at ${pin.path}, no agent runs`;
    return found(proof, unpin(link.name, pin.path));
  }),
};
