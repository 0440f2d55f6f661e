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

/** What nodes are told: by their labels, and by the CiliumNodeConfigs that go by these. */
export interface Told {
  readonly nodes: readonly Pick<ClusterNode, 'name' | 'labels'>[];
  readonly configs: readonly NodeConfigObject[];
}

/** What they are told once a rollout has set what the config file says. */
export function toldByConfig(
  nodes: readonly Node[],
  seen: readonly ClusterNode[],
  found: readonly FoundNodeConfig[],
): Told {
  const labelled = seen.map(({ name, labels }) => {
    const node = nodes.find((known) => kubernetesName(known) === name);
    const profile = node?.profile === undefined ? {} : { [PROFILE_LABEL]: node.profile };
    return { name, labels: { ...labels, ...profile } };
  });
  const wanted = nodeConfigsOf(nodes);
  const theirs = found.filter(
    ({ name, ours }) => !ours && wanted.every((config) => config.name !== name),
  );
  return { nodes: labelled, configs: [...wanted, ...theirs] };
}

/**
 * Hash of the devices that a node is told, whoever applied the CiliumNodeConfig that says so; `none`
 * when nobody tells it any.
 */
export function nodeConfigHash(name: string, { nodes, configs }: Told): string {
  const profile = nodes.find((node) => node.name === name)?.labels[PROFILE_LABEL];
  const told = configs
    .filter((config) => config.profile === profile && config.defaults['devices'] !== undefined)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    // Keys of others stay theirs.
    .map(({ defaults: { devices } }) => ['devices', devices]);
  return told.length === 0 ? 'none' : fingerprint([profile, told]);
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

function fingerprint(told: unknown): string {
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 12);
}
