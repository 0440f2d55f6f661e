import { sameManifest } from '../core/manifest.ts';
import type { Pod } from './cluster.ts';
import { isCurrent } from './agents.ts';
import { isFinishedRollout, type History } from './history.ts';

/** What decides whether a deploy has anything to do. */
export interface Situation {
  /** What Helm would apply, and what it applied last. */
  readonly rendered: string;
  readonly applied: string | undefined;
  readonly history: History;
  readonly agents: readonly Pod[];
  /** Kubernetes name of each node that gets an agent → hash of its node configuration. */
  readonly nodeConfigs: ReadonlyMap<string, string>;
  readonly hash: string | undefined;
  /** Labels and CiliumNodeConfigs that are not as the config says. */
  readonly open: number;
  /** Fields of the chart's objects that somebody changed by hand. */
  readonly edits: number;
}

/**
 * True when a rollout would change nothing: Helm would apply what it applied last and nobody changed
 * it by hand since, that rollout was finished, and every node has a proved agent of the newest template.
 */
export function isUnchanged(situation: Situation): boolean {
  const { rendered, applied, history, agents, hash, open } = situation;
  if (open > 0 || situation.edits > 0 || hash === undefined) return false;
  if (applied === undefined || !sameManifest(applied, rendered)) return false;
  const newest = history.at(-1);
  if (newest === undefined || !isFinishedRollout(history, newest)) return false;
  return [...situation.nodeConfigs].every(([node, nodeConfig]) =>
    agents.some((pod) => pod.node === node && pod.ready && isCurrent(pod, { hash, nodeConfig })),
  );
}
