import { devicesOf, found, ok, onNodes, unknown, yours, type Problem } from './problem.ts';

function restart(node: string) {
  const where = `spec.nodeName=${node}`;
  return yours({
    argv: [
      'kubectl',
      '-n',
      'kube-system',
      'delete',
      'pod',
      '-l',
      'k8s-app=cilium',
      '--field-selector',
      where,
    ],
    effect: 'the agent that starts attaches its program again; pods go on meanwhile',
  });
}

export const e9: Problem = {
  id: 'E9',
  title: 'a device lost its XDP program under a running agent',
  patterns: [/ethtool.*(combined|-[LGK]\b)/i, /xdp program.*(gone|removed|detached)/i],
  document:
    'Changing queues, rings or offloads with ethtool resets the i40e driver, which removes every BPF program. Do it before Cilium is installed, never while it runs.',
  known:
    'Half right. i40e does rebuild its rings on `ethtool -L` and `-G`, and the link goes down for a moment; but its driver keeps the XDP program and gives it to the new rings. Other drivers may differ. i40e has no LRO, so `lro off` does nothing there; switching GRO off is not needed for XDP and costs throughput. That i40e takes XDP with one queue only is wrong, and one queue costs receive-side scaling.',
  recognised:
    'an agent runs with native acceleration, and a device of the config has no XDP program',
  example: restart('worker'),
  look: onNodes((view, { cluster, value }) => {
    const { agentRuns, machine, node } = view;
    if (!agentRuns) return ok('no agent runs');
    const mode = cluster?.config?.['bpf-lb-acceleration'] ?? value?.('loadBalancer.acceleration');
    if (mode === undefined) return unknown('nobody says whether XDP is wanted');
    if (mode !== 'native') return ok(`XDP is not asked for (${mode || 'disabled'})`);
    const bare = devicesOf(view).filter(
      (device) => machine.links.find(({ name }) => name === device)?.xdp === undefined,
    );
    if (bare.length === 0) return ok('every device has its program');
    return found(`${bare.join(', ')} has no XDP program`, restart(node.nodeName ?? node.name));
  }),
};
