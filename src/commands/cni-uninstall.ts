import { CNI } from '../cluster/reset/phases.ts';
import { combineFailures, ShipError } from '../core/errors.ts';
import type { Node } from '../core/node.ts';
import type { CommandSpec } from './command.ts';
import { option } from './flags.ts';
import { removedText, type ConfirmFlags } from './reset.ts';
import { connectFleet } from './shared/fleet.ts';
import { selectNodes } from './shared/nodes.ts';
import { removeCnis } from './shared/remove-cni.ts';
import { removeFrom } from './shared/remove.ts';

export const cniUninstall: CommandSpec<ConfirmFlags> = {
  name: 'cni uninstall',
  summary: 'take the CNI out of the cluster and off every node; K3s stays',
  description:
    'Takes away APIs that nobody answers for, so that no namespace hangs (E7), and puts those back that are not of a CNI; removes the release of Cilium or the objects of the manifest, and waits until agents and namespaces are gone. After that each node is cleaned as reset does it: programs, interfaces, files, firewall rules and routes of CNIs. K3s, its images and your own objects stay, and pods have no network until the next CNI is installed; custom resources of Cilium, with policies, stay too. Asks for the name of each node; --confirm NODE… answers for it. A second run has nothing to do.',
  examples: [
    ['ciliumship cni uninstall --dry-run', 'show what would go'],
    ['ciliumship cni uninstall --confirm master worker', 'do it'],
  ],
  options: [option('--confirm <names...>', 'nodes that may lose their CNI')],
  receipt: true,
  run: async (context) => {
    const { nodes } = context.config;
    requireAllNodes(nodes, context.flags.nodes);
    await using fleet = await connectFleet(context, nodes);
    if (fleet.failures.size > 0) throw combineFailures('cni uninstall', fleet.failures);
    const removed = await removeFrom(context, fleet, nodes, {
      what: 'cni uninstall',
      phases: CNI,
      confirmed: context.flags.confirm ?? [],
      fromCluster: (held) => removeCnis(held, fleet),
      leave: false,
    });
    context.output.result(removedText(removed), removed);
  },
};

/** @throws ShipError `usage` when `--nodes` leaves one out */
function requireAllNodes(nodes: readonly Node[], patterns: string | undefined): void {
  if (selectNodes(nodes, patterns).length === nodes.length) return;
  throw new ShipError('usage', `--nodes ${patterns}: the CNI of a cluster is one for all nodes`, {
    hint: 'clean one node with all of K3s: ciliumship reset --nodes NODE --confirm NODE',
  });
}
