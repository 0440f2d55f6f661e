import { judgeFleet, judgeMachine } from '../cluster/preflight.ts';
import { unknown, type Check } from '../core/check.ts';
import { combineFailures, type ShipError } from '../core/errors.ts';
import type { CommandSpec } from './command.ts';
import { checksTable, counts, requireValid } from './shared/checks.ts';
import { connectFleet } from './shared/fleet.ts';
import { checkFleetReach, readFleetFacts } from './shared/machines.ts';
import { factsData, linkTable, machineTable } from './shared/machine-tables.ts';
import { selectNodes } from './shared/nodes.ts';

export const preflight: CommandSpec = {
  name: 'preflight',
  summary: 'look at the machines: is everything there that a cluster and Cilium need',
  description:
    'Asks every node, at once and without changing anything, what it is: system, kernel, clock, disk, tools, K3s and containerd, each interface with driver, carrier, MTU and addresses, which one carries our SSH session, what CNIs left behind, and whether nodes reach each other on the data network. What nobody answered is unknown, and no failure. Exit 3 with findings.',
  examples: [
    ['ciliumship preflight', 'look at every node'],
    ['ciliumship preflight --nodes worker -o json', 'one node, for a script'],
  ],
  run: async (context) => {
    const nodes = selectNodes(context.config.nodes, context.flags.nodes);
    await using fleet = await connectFleet(context, nodes);
    const machines = await readFleetFacts(context, fleet);
    const facts = nodes.flatMap(({ name }) => machines.results.get(name) ?? []);
    const reach = await checkFleetReach(context, fleet);
    const failures = new Map([...fleet.failures, ...machines.failures, ...reach.failures]);
    const checks = [
      ...[...failures].map(([node, error]) => unseen(node, error)),
      ...nodes.flatMap((node) => {
        const found = machines.results.get(node.name);
        return found === undefined ? [] : judgeMachine(node, found);
      }),
      ...judgeFleet(facts),
      ...[...reach.results.values()].flat(),
    ];
    const open = checks.filter(({ state }) => state !== 'ok');
    const tables = facts.length === 0 ? [] : [machineTable(facts), linkTable(nodes, facts)];
    const findings = open.length === 0 ? [] : [checksTable(open)];
    context.output.result([...tables, ...findings, counts(checks)].join('\n\n'), {
      nodes: facts.map(factsData),
      checks,
    });
    if (failures.size > 0) throw combineFailures('preflight', failures);
    requireValid(checks, 'drift', 'ciliumship preflight');
  },
};

/** A node that nobody could look at is not known to be well. */
function unseen(node: string, { message }: ShipError): Check {
  return unknown({ node, check: 'seen', wanted: 'an answer', found: message });
}
