import { found, ok, onNodes, unknown, yours, type Problem } from './problem.ts';
import { setAndDeploy } from './settings.ts';

const VXLAN = 'cilium_vxlan';

export const e3: Problem = {
  id: 'E3',
  title: 'the tunnel’s packets are larger than the interface takes',
  patterns: [/mtu too large to enable xdp/i, /message too long/i, /mtu/i],
  document:
    'A pod’s 1500 bytes and the 50 of VXLAN make 1550, which the card drops and under load locks up on. Set `mtu=1400`.',
  known:
    'Cilium takes the 50 bytes off by itself: `MTU` is that of the network below, and routes of pods get 50 less, so 1500 on both is right. The key `mtu` does not exist in any chart and was ignored (E4). No report of a panic of this kind is known. What does break is an MTU above the interface’s, or a driver that refuses XDP on large frames: i40e says `MTU too large to enable XDP`.',
  recognised: 'the MTU of cilium_vxlan is above that of the data interface',
  example: setAndDeploy('MTU', '1400'),
  look: onNodes(({ machine: { links }, node }) => {
    const tunnel = links.find(({ name }) => name === VXLAN);
    if (tunnel === undefined) return ok(`there is no ${VXLAN}`);
    const below = links.find(({ name }) => name === node.dataInterface);
    if (below === undefined) return unknown('no dataInterface to compare with');
    const sizes = `${VXLAN} ${tunnel.mtu}, ${below.name} ${below.mtu}`;
    if (tunnel.mtu <= below.mtu) return ok(sizes);
    return found(sizes, yours(...setAndDeploy('MTU', String(below.mtu)).actions));
  }),
};
