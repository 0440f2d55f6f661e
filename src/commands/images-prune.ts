import { combineFailures } from '../core/errors.ts';
import { shortName } from '../core/image.ts';
import { formatBytes } from '../output/progress.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { connectFleet } from './shared/fleet.ts';
import { lockFleet } from './shared/lock.ts';
import { selectNodes } from './shared/nodes.ts';
import { pruneFleet, type Pruned } from './shared/prune.ts';

export const imagesPrune: CommandSpec = {
  name: 'images prune',
  summary: 'remove shipped images that nothing needs',
  description:
    'Removes from the nodes what ciliumship images shows as used by nothing: images that no container was made from, that neither the live release nor the way back from it names, and that are not the last push. Every push does the same when it is done. Images that were not shipped by ciliumship are never touched.',
  examples: [
    ['ciliumship images prune --dry-run', 'show what would go'],
    ['ciliumship images prune --nodes worker', 'make room on one node'],
  ],
  run: async (context) => {
    const nodes = selectNodes(context.config.nodes, context.flags.nodes);
    await using fleet = await connectFleet(context, nodes);
    await using locked = await lockFleet(context, fleet);
    const { pruned, failures } = await pruneFleet(context, locked);
    const unseen = [...failures].map(([node, { message }]) => ({ node, unknown: message }));
    const text = prunedText(pruned, context.flags.dryRun === true);
    const lines = unseen.map(({ node, unknown: why }) => `${node}: unknown: ${why}`);
    context.output.result([...(pruned.length === 0 ? [] : [text]), ...lines].join('\n'), [
      ...pruned,
      ...unseen,
    ]);
    if (failures.size > 0) throw combineFailures('images prune', failures);
  },
};

function prunedText(pruned: readonly Pruned[], dryRun: boolean): string {
  const rows = pruned.flatMap(({ node, removed }) =>
    removed.map((name) => [node, shortName(name)]),
  );
  if (rows.length === 0) return 'nothing to remove';
  const what = dryRun ? 'would be freed' : 'freed';
  const freed = pruned.map(({ node, freed: bytes }) => `${node} ${formatBytes(bytes)} ${what}`);
  return `${textTable(['node', 'image'], rows)}\n\n${freed.join(' · ')}`;
}
