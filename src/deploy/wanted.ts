import type { Digest } from '../core/digest.ts';
import { kubernetesName, type Node } from '../core/node.ts';
import type { Wanted } from './validate.ts';

/** What was shipped of a release. */
export interface Shipped {
  readonly agent: Digest | undefined;
  readonly operator: Digest | undefined;
}

/**
 * What a node's agent must come to, as the live cilium-config and the node's own configuration say.
 *
 * @param config data of the ConfigMap cilium-config
 * @param shipped config digests of agent and operator; undefined where the chart's own runs
 */
export function wantedOn(
  node: string,
  nodes: readonly Node[],
  config: Readonly<Record<string, string>>,
  shipped: Shipped,
): Wanted {
  const acceleration = config['bpf-lb-acceleration'] ?? 'disabled';
  const vxlanAcceleration = config['enable-vxlan-acceleration'] === 'true';
  const known = nodes.find((candidate) => kubernetesName(candidate) === node);
  const accelerated = acceleration === 'native' || vxlanAcceleration;
  const mtu = Number(config['mtu'] ?? 0);
  return {
    agentImage: shipped.agent,
    operatorImage: shipped.operator,
    accelerated,
    devices: accelerated ? (known?.devices ?? []) : [],
    mtu: mtu > 0 ? mtu : undefined,
    acceleration,
    vxlanAcceleration,
  };
}
