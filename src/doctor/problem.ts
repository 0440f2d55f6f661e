import type { Action } from '../core/action.ts';
import { kubernetesName } from '../core/node.ts';
import type { ClusterView, NodeView, PodView, View } from './view.ts';

/** What to do against a problem, in this order. */
export interface Fix {
  /**
   * `safe`: doctor does it when asked; `confirm`: only for nodes that are named by `--confirm`,
   * because traffic or data go with it; `yours`: doctor only prints it.
   */
  readonly consent: 'safe' | 'confirm' | 'yours';
  readonly actions: readonly Action[];
  /** Interface that it acts on: never the one of our own SSH session. */
  readonly device?: string;
  /** An agent that runs would be harmed by it, or would undo it. */
  readonly withoutAgent?: boolean;
}

/** What was found in one place; `unknown` is what nobody could say, and never ok. */
export interface Verdict {
  readonly state: 'ok' | 'found' | 'unknown';
  /** The fact that this rests on. */
  readonly proof: string;
  readonly fix?: Fix;
}

export interface Finding extends Verdict {
  readonly id: string;
  /** Node, or `cluster`. */
  readonly where: string;
}

/** A known problem: what is said of it, and how it is recognised and mended. */
export interface Problem {
  readonly id: string;
  /** Lowercase, says what is wrong. */
  readonly title: string;
  /** Texts of errors that it shows itself by. */
  readonly patterns: readonly RegExp[];
  /** What the hand procedure says of it; undefined when it does not know it. */
  readonly document?: string;
  /** What is known of it. */
  readonly known: string;
  /** How doctor recognises it. */
  readonly recognised: string;
  /** What to do, on a node where it is typical. */
  readonly example: Fix;
  readonly look: (view: View) => readonly Omit<Finding, 'id'>[];
}

export const ok = (proof: string): Verdict => ({ state: 'ok', proof });
export const unknown = (proof: string): Verdict => ({ state: 'unknown', proof });
export const found = (proof: string, fix: Fix): Verdict => ({ state: 'found', proof, fix });

/** Commands that doctor does not run by itself, each with its effect. */
export function yours(...actions: readonly Action[]): Fix {
  return { consent: 'yours', actions };
}

/** Looks at each node by itself; a node that could not be reached is unknown. */
export function onNodes(judge: (node: NodeView, view: View) => Verdict): Problem['look'] {
  return (view) => [
    ...view.nodes.map((node) => ({ where: node.node.name, ...judge(node, view) })),
    ...[...view.unseen].map(([where, why]) => ({ where, ...unknown(why) })),
  ];
}

/** Looks at the cluster; without one everything is unknown. */
export function onCluster(judge: (cluster: ClusterView, view: View) => Verdict): Problem['look'] {
  return (view) => {
    const { cluster } = view;
    const verdict = cluster === undefined ? unknown(NO_CLUSTER) : judge(cluster, view);
    return [{ where: 'cluster', ...verdict }];
  };
}

export const NO_CLUSTER = 'the API server was not reached';

/** Looks at the user's Helm values and, when it can be asked, at what agents were given. */
export function onSettings(judge: (view: View) => Verdict): Problem['look'] {
  return (view) => {
    const known = view.value !== undefined || view.cluster?.config !== undefined;
    const verdict = known ? judge(view) : unknown('neither values nor cilium-config to look at');
    return [{ where: 'settings', ...verdict }];
  };
}

/** The pods of the release that are on a node. */
export function podsOn(cluster: ClusterView, { node }: NodeView): readonly PodView[] {
  return cluster.pods.filter((pod) => pod.node === kubernetesName(node));
}

/** Interfaces that Cilium is told to attach to on a node. */
export function devicesOf({ node }: NodeView): readonly string[] {
  if (node.devices.length > 0) return node.devices;
  return node.dataInterface === undefined ? [] : [node.dataInterface];
}
