export type Role = 'server' | 'agent';

/** A K3s machine reached over SSH, as the config describes it. */
export interface Node {
  /** Key under `nodes:`; what every message and table calls it. */
  readonly name: string;
  /** `host`, `user@host`, `user@host:port` or an ssh alias, resolved by `ssh -G`. */
  readonly ssh: string;
  readonly role: Role;
  /** Its Kubernetes name when that differs from `name`. */
  readonly nodeName?: string | undefined;
  readonly dataInterface?: string | undefined;
  /** Address with prefix length: `10.4.100.1/16`. */
  readonly dataAddress?: string | undefined;
  readonly externalAddress?: string | undefined;
  /** Interfaces that Cilium attaches to on this node. */
  readonly devices: readonly string[];
  /** Value of the node label `hw-profile` that its CiliumNodeConfig selects. */
  readonly profile?: string | undefined;
}

/** The Kubernetes name of a node. */
export function kubernetesName(node: Node): string {
  return node.nodeName ?? node.name;
}
