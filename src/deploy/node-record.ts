import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { kubernetesName, type Node } from '../core/node.ts';
import type { ClusterNode, FoundNodeConfig, HelmStatus, NodeConfigObject } from './cluster.ts';
import { ownParts, PROFILE_LABEL } from './node-config.ts';

/**
 * What nodes are told beside the chart: Helm keeps it with no revision, so that we do, in a ConfigMap
 * with one key for each revision.
 */
export interface NodeSettings {
  /** Kubernetes name of every node of the cluster → its profile, null where it has none. */
  readonly profiles: Readonly<Record<string, string | null>>;
  /** The CiliumNodeConfigs that ciliumship made. */
  readonly configs: readonly NodeConfigObject[];
}

/** Of the ConfigMap. */
type Data = Readonly<Record<string, string>>;

const text = z.string();
const schema = z.object({
  /** When Helm made the revision: after an uninstall the numbers begin again. */
  made: text,
  profiles: z.record(text, text.nullable()),
  configs: z.array(z.object({ name: text, profile: text, defaults: z.record(text, text) })),
});

/** Revisions that are kept: twice as many as Helm keeps, since each rollout makes two. */
const KEPT = 20;
const KEY = /^revision-(\d+)$/;

/** Name of the ConfigMap of a release. */
export function nodeRecordName(release: string): string {
  return `ciliumship-${release}-nodes`;
}

/** What the nodes of a cluster are told now. */
export function nodeSettings(
  nodes: readonly Pick<ClusterNode, 'name' | 'labels'>[],
  found: readonly FoundNodeConfig[],
): NodeSettings {
  const profiles = nodes.map(({ name, labels }) => [name, labels[PROFILE_LABEL] ?? null] as const);
  const configs = ownParts(found).toSorted((a, b) => a.name.localeCompare(b.name));
  return { profiles: Object.fromEntries(profiles), configs };
}

/** What they were told at a revision; undefined when nobody wrote it down, or it cannot be read. */
export function settingsAt(data: Data | undefined, entry: HelmStatus): NodeSettings | undefined {
  try {
    const { made, ...settings } = schema.parse(JSON.parse(data?.[keyOf(entry.revision)] ?? ''));
    return made === madeAt(entry) ? settings : undefined;
  } catch {
    return undefined;
  }
}

/** The data with what the nodes are told at a revision. */
export function withSettings(
  data: Data | undefined,
  entry: HelmStatus,
  settings: NodeSettings,
): Data {
  // Greater numbers are of a release that was removed since.
  const kept = Object.entries(data ?? {})
    .map(([key, value]) => [Number(KEY.exec(key)?.[1]), value] as const)
    .filter(([revision]) => revision < entry.revision && revision > entry.revision - KEPT);
  const written = JSON.stringify({ made: madeAt(entry), ...settings });
  return Object.fromEntries(
    [...kept, [entry.revision, written] as const].map(([revision, value]) => [
      keyOf(revision),
      value,
    ]),
  );
}

/** True when no node that both know is told anything else. */
export function sameSettings(a: NodeSettings, b: NodeSettings): boolean {
  const both = Object.keys(a.profiles).filter((name) => b.profiles[name] !== undefined);
  return (
    both.every((name) => a.profiles[name] === b.profiles[name]) &&
    isDeepStrictEqual(a.configs, b.configs)
  );
}

/** What brings nodes back to earlier settings. */
export interface NodesBefore {
  /** Nodes that were there, with the labels that they had. */
  readonly nodes: readonly ClusterNode[];
  readonly configs: readonly NodeConfigObject[];
}

/** Nodes that joined since keep their profile, and what it says. */
export function nodesBefore(
  { profiles, configs }: NodeSettings,
  nodes: readonly ClusterNode[],
  found: readonly FoundNodeConfig[],
): NodesBefore {
  const joined = nodes.filter(({ name }) => profiles[name] === undefined);
  const known = nodes.filter((node) => !joined.includes(node));
  const theirs = ownParts(found).filter(
    ({ name, profile }) =>
      joined.some(({ labels }) => labels[PROFILE_LABEL] === profile) &&
      configs.every((config) => config.name !== name),
  );
  const labelled = known.map((node) => {
    const { [PROFILE_LABEL]: _, ...others } = node.labels;
    const had = profiles[node.name] ?? undefined;
    return { ...node, labels: had === undefined ? others : { ...others, [PROFILE_LABEL]: had } };
  });
  return { nodes: labelled, configs: [...configs, ...theirs] };
}

/** Nodes of the config with the devices that the cluster tells them. */
export function asTold(
  nodes: readonly Node[],
  seen: readonly ClusterNode[],
  found: readonly FoundNodeConfig[],
): readonly Node[] {
  const own = ownParts(found);
  return nodes.map((node) => {
    const labels = seen.find(({ name }) => name === kubernetesName(node))?.labels;
    const config = own.find(({ profile }) => profile === labels?.[PROFILE_LABEL]);
    // Without a profile nobody tells it anything but the chart.
    if (labels === undefined || (config ?? node.profile) === undefined) return node;
    const devices = config?.defaults['devices']?.split(' ') ?? [];
    return { ...node, devices };
  });
}

function keyOf(revision: number): string {
  return `revision-${revision}`;
}

/** In milliseconds, since Helm 3 and 4 may write one time in two ways. */
function madeAt({ updated }: HelmStatus): string {
  const time = Date.parse(updated ?? '');
  return Number.isNaN(time) ? '' : String(time);
}
