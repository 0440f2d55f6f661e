import { ShipError } from '../core/errors.ts';
import type { ImageIdentity } from '../core/image.ts';
import { kubernetesName, type Node } from '../core/node.ts';
import { PINNED_LABEL, qualified, type NodeImages, type NodeStore } from '../facts/node-store.ts';
import { candidateNodes } from './candidates.ts';
import type { ClusterNode } from './cluster.ts';
import type { RenderedWorkload } from './manifest.ts';

/** What is asked of nodes. */
export interface GateRules {
  /** With false, images that may be pulled are not asked for. */
  readonly offline: boolean;
  /** Images that are never pulled must be kept from being collected. */
  readonly pinned?: boolean;
}

/** An image that a node may have to run and does not have whole. */
export interface Missing {
  readonly image: string;
  /** Name in the config, or in Kubernetes when the config does not know the node. */
  readonly node: string;
  readonly reason: string;
}

/**
 * Nothing may start that cannot: every image of the rendered chart must be complete and unpacked on
 * every node that may run it, before anything is changed.
 *
 * @param stores what each node of the config said, by its name there
 */
export function missingImages(
  workloads: readonly RenderedWorkload[],
  cluster: readonly ClusterNode[],
  nodes: readonly Node[],
  stores: ReadonlyMap<string, NodeImages>,
  { offline, pinned = false }: GateRules,
): readonly Missing[] {
  const known = new Map(nodes.map((node) => [kubernetesName(node), node.name]));
  const needed = workloads.flatMap((workload) =>
    candidateNodes(workload, cluster).flatMap((node) =>
      workload.images
        .filter(({ pullPolicy }) => offline || pullPolicy === 'Never')
        .map(({ image, pullPolicy }) => ({ image, pullPolicy, node: node.name })),
    ),
  );
  const distinct = new Map(needed.map((entry) => [`${entry.image} ${entry.node}`, entry]));
  return [...distinct.values()].flatMap(({ image, pullPolicy, node }) => {
    const name = known.get(node);
    const reason =
      name === undefined ? UNKNOWN_NODE : lack(image, stores.get(name), { pullPolicy, pinned });
    return reason === undefined ? [] : [{ image, node: name ?? node, reason }];
  });
}

const UNKNOWN_NODE = 'the node is not in the config';
const ALWAYS = 'pullPolicy Always asks a registry; set IfNotPresent or Never in the values';
const NO_DIGEST =
  'the node does not have it by this digest; ship it and set useDigest: false in the values';

/** Reasons that lie in the config or the values. */
const OF_CONFIG: ReadonlySet<string> = new Set([UNKNOWN_NODE, ALWAYS, NO_DIGEST]);

/** The name that the CRI knows an image by: beside a digest it leaves the tag out. */
function lookedUp(image: string): string {
  const [name = '', digest] = image.split('@');
  return digest === undefined
    ? qualified(name)
    : `${qualified(name).replace(/:[^/:]*$/, '')}@${digest}`;
}

function lack(
  image: string,
  store: NodeImages | undefined,
  { pullPolicy, pinned }: { readonly pullPolicy: string; readonly pinned: boolean },
): string | undefined {
  if (pullPolicy === 'Always') return ALWAYS;
  if (store === undefined) return 'the node could not be asked';
  const found = store.checked.get(lookedUp(image));
  if (found === undefined) return image.includes('@') ? NO_DIGEST : 'the node does not have it';
  if (!found.complete) return 'not complete';
  if (!found.unpacked) return 'not unpacked';
  const label = store.images.get(lookedUp(image))?.labels.get(PINNED_LABEL);
  return pinned && pullPolicy === 'Never' && label !== 'pinned' ? 'not pinned' : undefined;
}

/**
 * A name that holds the digest of its image must still point at it, whoever gave names since (F33).
 *
 * @param images as they were shipped
 * @throws ShipError `integrity` with both digests, for every node
 */
export function requireSameBytes(
  images: readonly ImageIdentity[],
  stores: ReadonlyMap<string, NodeImages>,
): void {
  const wrong = [...stores].flatMap(([node, { checked }]) =>
    images.flatMap(({ digestName, manifest }) => {
      const found = checked.get(qualified(digestName))?.digest;
      return found === undefined || found === manifest.digest
        ? []
        : [`${node}: ${digestName} is ${found}, not ${manifest.digest}`];
    }),
  );
  if (wrong.length === 0) return;
  throw new ShipError('integrity', 'names of shipped images point at other bytes', {
    details: wrong,
    hint: 'give them back what they stand for: ciliumship push',
  });
}

/**
 * The machine behind SSH must be the node that Kubernetes calls by that name; otherwise images were
 * proved on one cluster and would be rolled out on another.
 *
 * @throws ShipError `config` naming every node that is not there, or is another machine
 */
export function requireSameMachines(
  cluster: readonly ClusterNode[],
  nodes: readonly Node[],
  stores: ReadonlyMap<string, NodeStore>,
): void {
  const wrong = nodes.flatMap((node) => {
    const seen = cluster.find(({ name }) => name === kubernetesName(node));
    if (seen === undefined)
      return [`${node.name}: the cluster has no node ${kubernetesName(node)}`];
    const machine = stores.get(node.name)?.machine;
    const same = isSame(machine?.bootId, seen.bootId) && isSame(machine?.machineId, seen.machineId);
    return same
      ? []
      : [`${node.name}: ${node.ssh} is not the machine that Kubernetes calls ${seen.name}`];
  });
  if (wrong.length === 0) return;
  throw new ShipError('config', 'the nodes of the config are not those of the cluster', {
    details: [...wrong, `the cluster has: ${cluster.map(({ name }) => name).join(', ')}`],
    hint: 'look at ssh and nodeName in the config, and at KUBECONFIG and --context',
  });
}

/** What is unknown is not different. */
function isSame(a: string | undefined, b: string | undefined): boolean {
  return !a || !b || a.replaceAll('-', '') === b.replaceAll('-', '');
}

const SHIP = 'ship them first: ciliumship push   (other images: name them under extraImages)';

/**
 * @param hint what to do about images that are missing on nodes of the config
 * @throws ShipError that lists what is missing where: `storage`, or `config` when shipping alone does
 * not help
 */
export function requireNothingMissing(missing: readonly Missing[], hint = SHIP): void {
  if (missing.length === 0) return;
  const unknown = missing.find(({ reason }) => reason === UNKNOWN_NODE);
  const kind = missing.some(({ reason }) => OF_CONFIG.has(reason)) ? 'config' : 'storage';
  throw new ShipError(kind, 'images are missing on nodes that may have to run them', {
    details: missing.map(({ image, node, reason }) => `${node}: ${image}: ${reason}`),
    hint:
      unknown === undefined
        ? hint
        : `add ${unknown.node} under nodes: in the config, then: ciliumship push`,
  });
}
