import { found, ok, onSettings, type Problem } from './problem.ts';
import { setAndDeploy } from './settings.ts';

export const e4: Problem = {
  id: 'E4',
  title: 'the MTU that was set never reached cilium_vxlan',
  patterns: [/cilium_vxlan.*mtu 1500/i, /stays? at mtu/i],
  document:
    'Cilium does not change the MTU of a cilium_vxlan that is there. Delete the interface and the agents’ pods.',
  known:
    'The key is `MTU`, in capitals. `mtu` is ignored by every chart, so nothing was ever asked for. An agent changes the MTU of the interface when it starts, without making it anew: nothing has to be deleted. Only pods that run keep their old routes until they are made anew.',
  recognised:
    'the values have mtu and no MTU; or cilium_vxlan differs from mtu of cilium-config on a node',
  example: setAndDeploy('MTU', '1400'),
  look: onSettings((view) => {
    const wrong = view.value?.('mtu') ?? '';
    if (wrong !== '' && view.value?.('MTU') === '') {
      return found(`the values set mtu: ${wrong}, which is ignored`, setAndDeploy('MTU', wrong));
    }
    const wanted = view.cluster?.config?.['mtu'] ?? view.value?.('MTU') ?? '';
    const other = view.nodes.flatMap(({ node, machine }) =>
      machine.links
        .filter(({ name, mtu }) => name === 'cilium_vxlan' && String(mtu) !== wanted)
        .map(({ mtu }) => `${mtu} on ${node.name}`),
    );
    if (wanted === '' || wanted === '0' || other.length === 0) return ok('MTU is as it was set');
    return found(`${wanted} is set, cilium_vxlan has ${other.join(', ')}`, {
      consent: 'yours',
      actions: [RESTART],
    });
  }),
};

const RESTART = {
  argv: ['kubectl', '-n', 'kube-system', 'rollout', 'restart', 'ds/cilium'],
  effect: 'agents set the MTU when they start; traffic of pods goes on meanwhile',
} as const;
