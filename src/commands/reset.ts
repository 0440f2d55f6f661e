import { RESET } from '../cluster/reset/phases.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { option } from './flags.ts';
import { connectFleet } from './shared/fleet.ts';
import { withServers } from './shared/k3s.ts';
import { selectNodes } from './shared/nodes.ts';
import { removeFrom, type RemovedNode } from './shared/remove.ts';

export interface ConfirmFlags {
  readonly confirm?: readonly string[];
}

export const reset: CommandSpec<ConfirmFlags> = {
  name: 'reset',
  summary: 'remove K3s and every CNI from nodes, with all that they left',
  description:
    'Gives nodes back as they were before K3s: stops it, ends the containers that outlive it, takes programs of Cilium off their interfaces by the pins that hold them, removes the interfaces of CNIs, runs K3s’s own uninstall, and removes files, firewall rules and routes. Each part is done when a second look finds nothing more of it. Shows what goes and asks for the name of each node; --confirm NODE answers for it. Removes only a fixed list of paths, follows no mount and no link, and refuses a node whose data lies in a mount below one of them, or where our own SSH session would be touched. Cut off half way it is taken up by running it again; a second run has nothing to do. Images and the volumes of pods that K3s keeps on the node go too.',
  examples: [
    ['ciliumship reset --dry-run', 'every command, in order'],
    ['ciliumship reset --nodes worker --confirm worker', 'one node'],
  ],
  options: [option('--confirm <names...>', 'nodes that may lose everything of K3s')],
  run: async (context) => {
    const nodes = selectNodes(context.config.nodes, context.flags.nodes);
    await using fleet = await connectFleet(context, withServers(context.config.nodes, nodes));
    const confirmed = context.flags.confirm ?? [];
    const removal = { what: 'reset', phases: RESET, confirmed, leave: true };
    const removed = await removeFrom(context, fleet, nodes, removal);
    context.output.result(removedText(removed), removed);
  },
};

/** A table of what became of each node. */
export function removedText(removed: readonly RemovedNode[]): string {
  return textTable(
    ['node', 'state'],
    removed.map(({ node, state }) => [node, state]),
  );
}
