import { combineFailures } from '../core/errors.ts';
import type { K3sFacts } from '../facts/k3s.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { connectFleet } from './shared/fleet.ts';
import { checkMachines, installAll, k3sSettings, readFleetK3s, withServers } from './shared/k3s.ts';
import { k3sFiles } from './shared/k3s-files.ts';
import { lockFleet } from './shared/lock.ts';
import { selectNodes } from './shared/nodes.ts';

export const k3sInstall: CommandSpec = {
  name: 'k3s install',
  summary: 'install K3s on the nodes, servers first, without a CNI',
  description:
    'Brings the K3s of k3s.version to every node and starts it: the first server makes the cluster, other servers and then all agents join it. Program and installer come from this machine (k3s.binary, k3s.installer; by path, or fetched once and held against their sha256), so nodes need no internet. Without a CNI of its own, network policies, or kube-proxy where Cilium replaces it; the networks of pods and services must be apart from those of the nodes (E18). The token that nodes join with goes from server to node by standard input into a file of root. A node where K3s runs as the config says is left alone, and one where it was not installed by us too; where the config says something else, config.yaml is written anew and K3s starts again, one node after the other, each back and ready before the next, and with its old settings again when it does not come up. What K3s takes at its first start only (networks, names, the kind of its database) and another program than the one that runs are refused: it upgrades nothing. What was cut off half way is taken up by running it again. Nodes are not ready before a CNI is there.',
  examples: [
    ['ciliumship k3s install --dry-run', 'every command, in order, and each config.yaml'],
    ['ciliumship k3s install', 'make a cluster of all nodes, or bring what changed in the config'],
    ['ciliumship k3s install --nodes worker', 'take one more node in'],
  ],
  run: async (context) => {
    const { config, flags, output } = context;
    const nodes = selectNodes(config.nodes, flags.nodes);
    const files = await k3sFiles(context);
    const settings = await k3sSettings(context);
    const involved = withServers(config.nodes, nodes);
    await using fleet = await connectFleet(context, involved);
    if (fleet.failures.size > 0) throw combineFailures('k3s install', fleet.failures);
    const states = await readFleetK3s(context, involved, fleet);
    const install = { nodes, settings, states, files };
    await checkMachines(context, fleet, install);
    await using locked = await lockFleet(context, fleet);
    if (locked.failures.size > 0) throw combineFailures('k3s install', locked.failures);
    const { results, planned } = await installAll(context, locked, install);
    const rows = nodes.map(({ name, role }) => ({
      node: name,
      role,
      state: planned.has(name) ? wouldBe(states.get(name)) : (results.get(name)?.how ?? 'unknown'),
    }));
    const table = textTable(
      ['node', 'role', 'k3s'],
      rows.map(({ node, role, state }) => [node, role, state]),
    );
    output.result(table, rows);
  },
};

function wouldBe(state: K3sFacts | undefined): string {
  return state?.unit === 'active' && state.text !== undefined
    ? 'would be changed'
    : 'would be installed';
}
