import type { Step } from '../../core/step.ts';
import { recallRate, rememberRate } from '../../system/rates.ts';
import type { Session } from '../../system/ssh/session.ts';
import { measureRate } from '../../transfer/rate.ts';
import type { Sent } from '../../transfer/send.ts';
import type { Context } from '../command.ts';
import { maxRate } from './send-options.ts';

/**
 * Bytes a second to a node: of the last transfer, else measured. Undefined when it cannot be.
 *
 * @param sharing how many nodes share the way out of this machine, if that is limited
 * @throws ShipError as `Remote.run`
 */
export async function rateTo(
  session: Session,
  context: Context,
  sharing: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const known = await recallRate(linkTo(session.node, context));
  const rate = known ?? (await measureRate(session, signal));
  const limit = maxRate(context);
  return limit === undefined ? rate : Math.min(rate ?? limit, limit / sharing);
}

/** The same step, remembering at which rate its bytes went. */
export function timed(step: Step<Sent>, node: string, context: Context): Step<Sent> {
  return {
    ...step,
    run: async (run) => {
      const sent = await step.run(run);
      // The next run can do without it, and this one is to end well.
      await rememberRate(linkTo(node, context), { seconds: 0, ...sent }).catch(() => undefined);
      return sent;
    },
  };
}

/** Machines that were cloned have one machine id, so a link is named by how we get there. */
function linkTo(name: string, { config, flags }: Context): string {
  const destination = config.nodes.find((node) => node.name === name)?.ssh;
  return `${flags.sshConfig ?? ''} ${destination ?? name}`;
}
