import { InvalidArgumentError } from 'commander';
import type { HardenedNode } from '../cluster/harden.ts';
import { parseDuration } from '../config/duration.ts';
import { combineFailures, ShipError } from '../core/errors.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { checkDuration, option } from './flags.ts';
import { connectFleet } from './shared/fleet.ts';
import { hardenAll } from './shared/harden.ts';
import { selectNodes } from './shared/nodes.ts';

interface HardenFlags {
  readonly gro?: 'on' | 'off';
  readonly queues?: number;
  readonly persist?: boolean;
  readonly deadMan?: string;
}

const DEAD_MAN = '30s';
/** Milliseconds. */
const SHORTEST = 3_000;

export const harden: CommandSpec<HardenFlags> = {
  name: 'harden',
  summary: 'set the interfaces as XDP needs them, before an agent runs',
  description:
    'Switches off what merges packets in hardware (LRO, hardware GRO) on the devices and the data interface of each node, where the driver has a switch for it; i40e has none. GRO and the number of queues stay as they are unless --gro or --queues ask for it: neither is needed for XDP, and both cost throughput (ciliumship explain E2, E9). Refused while an agent of Cilium runs there, and on the interface of our own SSH session. Before anything changes the node is told to undo it after --dead-man; only a new connection calls that off, so a node that was cut off comes back by itself. Nodes go one after the other. With --persist the settings come back after a reboot: by a .link file of udev, or in the ifcfg file where wicked runs.',
  examples: [
    ['ciliumship harden --dry-run', 'what would change, with every command'],
    ['ciliumship harden --persist', 'now and after every reboot'],
    ['ciliumship harden --gro off --queues 4 --nodes worker', 'more than XDP needs, on one node'],
  ],
  options: [
    option('--gro <state>', 'generic receive offload').choices(['on', 'off']),
    option('--queues <n>', 'queues of each interface').argParser(parseQueues),
    option('--persist', 'also after a reboot'),
    option(
      '--dead-man <duration>',
      `the node undoes a change that nobody confirmed for so long (default: ${DEAD_MAN})`,
    ).argParser(checkDuration),
  ],
  run: async (context) => {
    const { config, flags, output } = context;
    const nodes = selectNodes(config.nodes, flags.nodes);
    await using fleet = await connectFleet(context, nodes);
    if (fleet.failures.size > 0) throw combineFailures('harden', fleet.failures);
    const hardened = await hardenAll(context, fleet, nodes, {
      hardening: {
        gro: flags.gro === undefined ? undefined : flags.gro === 'on',
        queues: flags.queues,
      },
      persist: flags.persist === true,
      deadMan: deadManOf(flags.deadMan),
    });
    output.result(hardenedText(hardened), hardened);
  },
};

/** @throws ShipError `usage` for a time in which nobody can connect once more */
function deadManOf(given: string | undefined): number {
  const milliseconds = parseDuration(given ?? DEAD_MAN);
  if (milliseconds >= SHORTEST) return milliseconds;
  throw new ShipError('usage', `--dead-man ${given}: a new connection takes longer than that`, {
    hint: `ciliumship harden --dead-man ${DEAD_MAN}`,
  });
}

/** @throws InvalidArgumentError that commander reports as a usage error */
function parseQueues(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0 && count <= 1024) return count;
  throw new InvalidArgumentError('Write a number from 1 to 1024.');
}

function hardenedText(nodes: readonly HardenedNode[]): string {
  const rows = nodes.flatMap(({ node, settings }) =>
    settings.map(({ device, setting, before, wanted, after }) => [
      node,
      device,
      setting,
      before,
      wanted,
      after,
    ]),
  );
  const kept = nodes.flatMap(({ node, persisted }) => persisted.map((what) => `${node} ${what}`));
  const head = ['node', 'interface', 'setting', 'before', 'wanted', 'after'];
  return [textTable(head, rows), ...kept].join('\n');
}
