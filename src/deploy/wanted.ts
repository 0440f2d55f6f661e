import type { Digest } from '../core/digest.ts';
import { kubernetesName, type Node } from '../core/node.ts';

/** What was shipped of a release. */
export interface Shipped {
  readonly agent: Digest | undefined;
  readonly operator: Digest | undefined;
}

/** What the cluster's configuration asks of a node. */
export interface Wanted {
  /** Kubernetes name of the node. */
  readonly name: string;
  readonly agentImage: Digest | undefined;
  readonly operatorImage: Digest | undefined;
  /** XDP must be attached. */
  readonly accelerated: boolean;
  /** Interfaces that must carry it. */
  readonly devices: readonly string[];
  /** Undefined when Cilium chooses it. */
  readonly mtu: number | undefined;
  /** The interface of the tunnel between nodes; undefined where packets of pods are routed as they are. */
  readonly tunnel: string | undefined;
  /** `bpf-lb-acceleration`. */
  readonly acceleration: string;
  readonly vxlanAcceleration: boolean;
  /** An envoy runs beside the agent. */
  readonly envoy: boolean;
  /** Kubernetes names of the other nodes, as far as agents ask each other and theirs can answer. */
  readonly peers: readonly string[];
}

/** What a release as a whole asks for. */
export interface Installed {
  /** Data of the ConfigMap cilium-config. */
  readonly config: Readonly<Record<string, string>>;
  /** Config digests of agent and operator; undefined where the chart's own runs. */
  readonly shipped: Shipped;
  readonly envoy: boolean;
  /** Kubernetes names of nodes with a ready agent. */
  readonly answering: readonly string[];
}

/**
 * What a node's agent must come to, as the live cilium-config and the node's own configuration say.
 *
 * @param node its Kubernetes name
 */
export function wantedOn(node: string, nodes: readonly Node[], installed: Installed): Wanted {
  const { config, shipped, envoy, answering } = installed;
  const acceleration = config['bpf-lb-acceleration'] ?? 'disabled';
  const vxlanAcceleration = config['enable-vxlan-acceleration'] === 'true';
  const known = nodes.find((candidate) => kubernetesName(candidate) === node);
  const accelerated = acceleration === 'native' || vxlanAcceleration;
  const asksOthers = config['enable-health-checking'] !== 'false';
  const mtu = Number(config['mtu'] ?? 0);
  return {
    name: node,
    agentImage: shipped.agent,
    operatorImage: shipped.operator,
    accelerated,
    devices: accelerated ? (known?.devices ?? []) : [],
    mtu: mtu > 0 ? mtu : undefined,
    tunnel: tunnelOf(config),
    acceleration,
    vxlanAcceleration,
    envoy,
    peers: asksOthers ? answering.filter((other) => other !== node) : [],
  };
}

/** What the agent takes where nothing is said is what a chart that says nothing means. */
function tunnelOf(config: Installed['config']): string | undefined {
  if ((config['routing-mode'] || 'tunnel') !== 'tunnel') return undefined;
  return `cilium_${config['tunnel-protocol'] || 'vxlan'}`;
}
