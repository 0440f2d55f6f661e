import { isBuildOf, shortName } from '../core/image.ts';
import { kubernetesName, type Node } from '../core/node.ts';
import type { Pod } from '../deploy/cluster.ts';
import { qualified, type NodeStore } from '../facts/node-store.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { openClusterAccess, releaseOf } from './shared/cluster.ts';
import { connectFleet } from './shared/fleet.ts';
import { selectNodes } from './shared/nodes.ts';
import { probeFleet } from './shared/probe-fleet.ts';
import { noteRelease } from './shared/release.ts';
import { requireAll } from './shared/report.ts';
import { shippedNames } from './shared/shipped-names.ts';

/** One image on one node. */
interface Row {
  readonly node: string;
  readonly image: string;
  /** Config digest of what the node has under the name. */
  readonly onNode: string | undefined;
  /** Config digests of what containers of this image run there. */
  readonly running: readonly string[];
  readonly pods: readonly string[];
  readonly state: 'ok' | 'behind' | 'not ready' | 'no pod here' | 'missing' | 'unknown';
}

export const status: CommandSpec = {
  name: 'status',
  summary: 'show which image each node has and which one runs there',
  description:
    'Reads, without changing anything, what each node has under the names of the config’s images, and which bytes the pods of these images really run there. "behind" is a pod that runs other bytes than the node has; "missing" is an image that was not shipped to the node.',
  examples: [
    ['ciliumship status', 'every node'],
    ['ciliumship status --nodes worker -o json', 'one node, for a script'],
  ],
  run: async (context) => {
    const { config, flags, output } = context;
    const nodes = selectNodes(config.nodes, flags.nodes);
    await using fleet = await connectFleet(context, nodes);
    const probed = await probeFleet(context, fleet, 'Look');
    await using access = await openClusterAccess(context, fleet);
    const pods = await access.cluster.pods(releaseOf(context).namespace, '');
    const names = shippedNames(config);
    const rows = nodes.flatMap((node) =>
      names.map((name) => rowOf(node, name, pods, probed.stores.get(node.name))),
    );
    await noteRelease(context, access);
    output.result(table(rows), rows);
    requireAll(
      'status',
      [...probed.failures].map(([node, error]) => ({ node, error })),
    );
  },
};

function rowOf(node: Node, image: string, pods: readonly Pod[], store: NodeStore | undefined): Row {
  const own = pods
    .filter((pod) => pod.node === kubernetesName(node))
    .flatMap((pod) =>
      pod.containers
        .filter((container) => isBuildOf(container.image, image))
        .map(({ imageId }) => ({ pod: pod.name, ready: pod.ready, imageId })),
    );
  const onNode = store?.cri.find(({ names }) => names.includes(qualified(image)))?.id;
  return {
    node: node.name,
    image,
    onNode,
    running: [...new Set(own.flatMap(({ imageId }) => imageId ?? []))],
    pods: own.map(({ pod }) => pod),
    state: stateOf(own, onNode, store),
  };
}

function stateOf(
  own: readonly { readonly ready: boolean; readonly imageId: string | undefined }[],
  onNode: string | undefined,
  store: NodeStore | undefined,
): Row['state'] {
  if (store === undefined) return 'unknown';
  if (onNode === undefined) return 'missing';
  if (own.length === 0) return 'no pod here';
  if (own.some(({ imageId }) => imageId !== undefined && imageId !== onNode)) return 'behind';
  return own.every(({ ready }) => ready) ? 'ok' : 'not ready';
}

function table(rows: readonly Row[]): string {
  return textTable(
    ['node', 'image', 'on node', 'running', 'state', 'pods'],
    rows.map((row) => [
      row.node,
      shortName(row.image),
      short(row.onNode),
      row.running.map(short).join(' ') || '-',
      row.state,
      row.pods.join(' '),
    ]),
  );
}

function short(digest: string | undefined): string {
  return digest === undefined ? '-' : digest.slice('sha256:'.length, 'sha256:'.length + 12);
}
