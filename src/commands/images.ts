import { Argument } from 'commander';
import { combineFailures } from '../core/errors.ts';
import { shortDigest } from '../core/digest.ts';
import { shortName } from '../core/image.ts';
import { formatBytes } from '../output/progress.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { connectFleet } from './shared/fleet.ts';
import { withNames } from './shared/image-names.ts';
import { selectNodes } from './shared/nodes.ts';
import { freedBytes, readImages, type FoundFleet } from './shared/retention.ts';

export const images: CommandSpec = {
  name: 'images',
  summary: 'list the shipped images of each node, and what needs them',
  description:
    'Shows every image that was shipped to a node: its size, how much of it no other image shares, whether it is pinned, and what needs it: pods, the live release, the way back from it, the last push. What nothing needs can go: ciliumship images prune. When the cluster cannot be asked, nobody knows, and everything stays; what another config shipped stays too, for only that one knows its release.',
  examples: [
    ['ciliumship images', 'every node'],
    ['ciliumship images cilium hubble-*', 'some images'],
    ['ciliumship images --nodes worker -o json', 'one node, for a script'],
  ],
  args: [
    new Argument('[images...]', 'names or patterns, such as cilium or hubble-* (default: all)'),
  ],
  run: async (context) => {
    const nodes = selectNodes(context.config.nodes, context.flags.nodes);
    await using fleet = await connectFleet(context, nodes);
    const found = await readImages(context, fleet);
    const all = nodes.flatMap(({ name }) => rowsOf(name, found));
    const rows = withNames(all, context.args);
    context.output.result(imagesTable(rows), rows);
    if (found.failures.size > 0) throw combineFailures('images', found.failures);
  },
};

/** One image on one node; only the node when it could not be asked. Sizes in bytes. */
interface Row {
  readonly node: string;
  readonly image?: string;
  readonly id?: string;
  readonly size?: number;
  readonly ownSize?: number;
  readonly pinned?: boolean;
  readonly usedBy: readonly string[];
  /** Why the node could not be asked. */
  readonly unknown?: string | undefined;
}

function rowsOf(node: string, { nodes, failures }: FoundFleet): readonly Row[] {
  const found = nodes.get(node);
  if (found === undefined) {
    return [{ node, usedBy: ['unknown'], unknown: failures.get(node)?.message }];
  }
  const sorted = found.images.toSorted((a, b) => a.digestName.localeCompare(b.digestName));
  return sorted.map((image) => {
    const { digestName, id, size, pinned, usedBy } = image;
    const ownSize = freedBytes(found, [image]);
    return { node, image: digestName, id, size, ownSize, pinned, usedBy };
  });
}

function imagesTable(rows: readonly Row[]): string {
  return textTable(
    ['node', 'image', 'id', 'size', 'its own', 'pinned', 'used by'],
    rows.map(({ node, image, id, size, ownSize, pinned, usedBy }) => [
      node,
      image === undefined ? '-' : shortName(image),
      id === undefined ? '-' : shortDigest(id as `sha256:${string}`),
      size === undefined ? '-' : formatBytes(size),
      ownSize === undefined ? '-' : formatBytes(ownSize),
      pinned === undefined ? '-' : pinned ? 'yes' : 'no',
      usedBy.join(', '),
    ]),
  );
}
