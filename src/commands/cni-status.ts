import { cniOfFleet, judgeCni, type CniOnNode } from '../cluster/cni/status.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { checksTable, counts, requireValid } from './shared/checks.ts';
import { connectFleet } from './shared/fleet.ts';
import { lookAtCni } from './shared/look-cni.ts';
import { selectNodes } from './shared/nodes.ts';

export const cniStatus: CommandSpec = {
  name: 'cni status',
  summary: 'which CNI gives pods their network, by what the nodes show',
  description:
    'Shows for each node the configuration that containerd reads, its plugins, the agent that the cluster has there and everything that any CNI left. Changes nothing. Exit 3 when nodes differ, an agent is not ready, or another CNI left something.',
  examples: [
    ['ciliumship cni status', 'every node'],
    ['ciliumship cni status -o json', 'for a script'],
  ],
  run: async (context) => {
    const nodes = selectNodes(context.config.nodes, context.flags.nodes);
    await using fleet = await connectFleet(context, nodes);
    const found = await lookAtCni(context, fleet);
    const checks = judgeCni(found);
    const open = checks.filter(({ state }) => state !== 'ok');
    const parts = [
      nodesTable(found),
      ...(open.length === 0 ? [] : [checksTable(open)]),
      `${cniOfFleet(found)} · ${counts(checks)}`,
    ];
    context.output.result(parts.join('\n\n'), { cni: cniOfFleet(found), nodes: found, checks });
    requireValid(checks, 'drift', 'ciliumship cni status');
  },
};

function nodesTable(nodes: readonly CniOnNode[]): string {
  const rows = nodes.map(({ node, config, agents, traces }) => [
    node,
    config === undefined ? 'none' : `${config.file} (${config.name})`,
    config?.plugins.join(', ') ?? '',
    (agents ?? []).map(({ pod, ready }) => `${pod} ${ready ? 'ready' : 'not ready'}`).join(', '),
    traces
      .filter(({ what }) => !what.startsWith('/etc/'))
      .map(({ what }) => what.split('/').at(-1))
      .join(', '),
  ]);
  return textTable(['node', 'configuration', 'plugins', 'agent', 'of CNIs there'], rows);
}
