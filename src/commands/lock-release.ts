import { combineFailures } from '../core/errors.ts';
import { holderOf, releaseLock, type FoundLock } from '../core/lock.ts';
import { selfDescription } from '../system/self.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec, Context } from './command.ts';
import { option } from './flags.ts';
import { connectFleet } from './shared/fleet.ts';
import { eachLock } from './shared/locks.ts';
import { selectNodes } from './shared/nodes.ts';

interface ReleaseFlags {
  readonly live?: boolean;
}

export const lockRelease: CommandSpec<ReleaseFlags> = {
  name: 'lock release',
  summary: 'remove locks whose holder is gone',
  description:
    'Removes the locks of nodes and the lease of the release when whoever holds them is gone: a process of this machine that ended, or a heartbeat that stands still for thirty seconds. A holder who is still there is named and keeps his lock; --live takes it from him all the same, and his run stops at its next heartbeat, within ten seconds.',
  examples: [
    ['ciliumship lock release', 'after a machine was switched off in the middle of a ship'],
    ['ciliumship lock release --nodes worker --live', 'from somebody who is still at it'],
  ],
  options: [option('--live', 'also locks whose holder is still there')],
  run: async (context) => {
    await using fleet = await connectFleet(
      context,
      selectNodes(context.config.nodes, context.flags.nodes),
    );
    const { answers, failures } = await eachLock(context, fleet, (lock) => release(context, lock));
    const rows = answers.map(({ lock, state }) => [lock, state]);
    context.output.result(textTable(['lock', 'state'], rows), answers);
    if (failures.size > 0) throw combineFailures('lock release', failures);
  },
};

async function release({ flags, signal }: Context<ReleaseFlags>, lock: FoundLock) {
  const { name } = lock;
  if (flags.dryRun === true) {
    const held = await lock.read();
    return {
      lock: name,
      state: held === undefined ? 'was free' : `held by ${holderOf(held.text)}`,
    };
  }
  const was = await releaseLock(lock, selfDescription(), flags.live === true, signal);
  return { lock: name, state: was === undefined ? 'was free' : `freed from ${holderOf(was.text)}` };
}
