import { combineFailures } from '../core/errors.ts';
import { holderOf, type LockState } from '../core/lock.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { connectFleet } from './shared/fleet.ts';
import { eachLock } from './shared/locks.ts';
import { selectNodes } from './shared/nodes.ts';

export const lockStatus: CommandSpec = {
  name: 'lock status',
  summary: 'show who ships to a node or rolls out the release now',
  description:
    'Shows who holds the lock of each node (a push, ship, reset or fix takes it) and the lease of the release (a deploy or rollback takes it). A lock is held as long as its heartbeat goes on; one that is gone is taken over by the next run that waits for it, or by ciliumship lock release.',
  examples: [
    ['ciliumship lock status', 'every node, and the release'],
    ['ciliumship lock status -o json', 'for a script'],
  ],
  run: async (context) => {
    await using fleet = await connectFleet(
      context,
      selectNodes(context.config.nodes, context.flags.nodes),
    );
    const { answers, failures } = await eachLock(context, fleet, async (lock) => ({
      name: lock.name,
      ...heldBy(await lock.read()),
    }));
    const rows = answers.map(({ name, holder }) => [name, holder ?? 'nobody']);
    const table = textTable(['lock', 'held by'], rows);
    context.output.result(rows.length === 0 ? 'no lock could be looked at' : table, answers);
    if (failures.size > 0) throw combineFailures('lock status', failures);
  },
};

function heldBy(state: LockState | undefined): { readonly holder?: string } {
  return state === undefined ? {} : { holder: holderOf(state.text) };
}
