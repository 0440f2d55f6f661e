import { cniRefusal } from '../cluster/reset/guard.ts';
import { UNINSTALL } from '../cluster/reset/phases.ts';
import type { CommandSpec } from './command.ts';
import { option } from './flags.ts';
import { removedText, type ConfirmFlags } from './reset.ts';
import { connectFleet } from './shared/fleet.ts';
import { withServers } from './shared/k3s.ts';
import { selectNodes } from './shared/nodes.ts';
import { removeFrom } from './shared/remove.ts';

export const k3sUninstall: CommandSpec<ConfirmFlags> = {
  name: 'k3s uninstall',
  summary: 'remove K3s from nodes that no CNI is on, agents first',
  description:
    'Stops K3s, ends the containers that outlive it, runs its own uninstall script and removes what that leaves, also when the script is missing or an install got half way. Agents go before servers, and a server that stays forgets them. A node with a CNI is refused: K3s’s script can cut it off (ciliumship reset removes both, in the right order). Shows what goes and asks for the name of each node; --confirm NODE answers for it. Guards as of ciliumship reset.',
  examples: [
    ['ciliumship k3s uninstall --dry-run', 'every command, in order'],
    ['ciliumship k3s uninstall --nodes worker --confirm worker', 'one node'],
  ],
  options: [option('--confirm <names...>', 'nodes that may lose K3s and its data')],
  run: async (context) => {
    const nodes = selectNodes(context.config.nodes, context.flags.nodes);
    await using fleet = await connectFleet(context, withServers(context.config.nodes, nodes));
    const removed = await removeFrom(context, fleet, nodes, {
      what: 'k3s uninstall',
      phases: UNINSTALL,
      confirmed: context.flags.confirm ?? [],
      refuse: cniRefusal,
      leave: true,
    });
    context.output.result(removedText(removed), removed);
  },
};
