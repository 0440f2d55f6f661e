import { createHash } from 'node:crypto';
import { ShipError } from '../core/errors.ts';
import { kubernetesName, type Node } from '../core/node.ts';
import type {
  Cluster,
  ClusterNode,
  FoundNodeConfig,
  LabelChange,
  NodeConfigObject,
} from './cluster.ts';

/** Label by which a CiliumNodeConfig finds its nodes (procedure, standard installation step 3). */
export const PROFILE_LABEL = 'hw-profile';

/**
 * One CiliumNodeConfig for each profile of the config: the devices of its nodes.
 *
 * @throws ShipError `config` when two nodes of one profile name different devices
 */
export function nodeConfigsOf(nodes: readonly Node[]): readonly NodeConfigObject[] {
  const profiles = Map.groupBy(
    nodes.filter((node) => node.profile !== undefined && node.devices.length > 0),
    (node) => node.profile ?? '',
  );
  return [...profiles].map(([profile, members]) => {
    const devices = new Set(members.map((node) => node.devices.join(' ')));
    const [first = '', other] = devices;
    if (other === undefined) return { name: profile, profile, defaults: { devices: first } };
    throw new ShipError(
      'config',
      `profile ${profile} has nodes with devices "${first}" and "${other}"`,
      {
        hint: 'give each set of devices its own profile in the config',
      },
    );
  });
}

/** The CiliumNodeConfigs of a namespace; none before their CRD is served. */
export async function foundNodeConfigs(
  cluster: Pick<Cluster, 'nodeConfigVersion' | 'nodeConfigs'>,
  namespace: string,
): Promise<readonly FoundNodeConfig[]> {
  const version = await cluster.nodeConfigVersion();
  return version === undefined ? [] : cluster.nodeConfigs(namespace, version);
}

/** Labels that a node lacks; empty when nothing is to be changed. */
export function labelChange(node: Node, seen: ClusterNode): LabelChange {
  if (node.profile === undefined || seen.labels[PROFILE_LABEL] === node.profile) return {};
  return { [PROFILE_LABEL]: node.profile };
}

/** The configs that the cluster lacks or has with other values. Keys that others set are theirs. */
export function changedNodeConfigs(
  wanted: readonly NodeConfigObject[],
  found: readonly NodeConfigObject[],
): readonly NodeConfigObject[] {
  return wanted.filter(({ name, profile, defaults }) => {
    const same = found.find((config) => config.name === name);
    if (same?.profile !== profile) return true;
    return Object.entries(defaults).some(([key, value]) => same.defaults[key] !== value);
  });
}

/** Configs that ciliumship made once and that the config file does not ask for any more. */
export function unwantedNodeConfigs(
  wanted: readonly NodeConfigObject[],
  found: readonly FoundNodeConfig[],
): readonly FoundNodeConfig[] {
  return found.filter(({ name, ours }) => ours && wanted.every((config) => config.name !== name));
}

/** Annotation of a proved agent: which node configuration it started with. */
export const NODE_CONFIG_ANNOTATION = 'ciliumship.io/node-config';

/** Hash of what a node's CiliumNodeConfig sets; `none` when it has none. */
export function nodeConfigHash(name: string, nodes: readonly Node[]): string {
  const node = nodes.find((candidate) => kubernetesName(candidate) === name);
  const config = nodeConfigsOf(nodes).find(({ profile }) => profile === node?.profile);
  return config === undefined ? 'none' : fingerprint(config);
}

/** The same as the cluster has it now: what a node's label makes of the configs that we applied. */
export function liveNodeConfigHash(
  { labels }: Pick<ClusterNode, 'labels'>,
  found: readonly FoundNodeConfig[],
): string {
  const config = ownParts(found).find(({ profile }) => profile === labels[PROFILE_LABEL]);
  return config === undefined ? 'none' : fingerprint(config);
}

/** What is ours of the configs that were found: keys of others stay theirs. */
export function ownParts(found: readonly FoundNodeConfig[]): readonly NodeConfigObject[] {
  return found
    .filter(({ ours }) => ours)
    .map(({ name, profile, defaults: { devices } }) => ({
      name,
      profile,
      defaults: devices === undefined ? {} : { devices },
    }));
}

function fingerprint({ profile, defaults }: NodeConfigObject): string {
  const sorted = Object.entries(defaults).toSorted(([a], [b]) => a.localeCompare(b));
  return createHash('sha256')
    .update(JSON.stringify([profile, sorted]))
    .digest('hex')
    .slice(0, 12);
}
