import { Cleanup } from '../../core/cleanup.ts';
import { parseDuration } from '../../config/duration.ts';
import { toShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { lockNode, type NodeLock, type NodeLockOptions } from '../../import/lock.ts';
import type { Link } from '../../transfer/send.ts';
import { settleStage, type StageOptions } from '../../output/stage.ts';
import { selfDescription } from '../../system/self.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { heldSession } from './held-session.ts';
import { looking } from './stages.ts';

/**
 * The nodes of a fleet that are ours until this is disposed of. A session does nothing more on a node
 * that someone else took over.
 */
export interface LockedFleet extends Fleet {
  /** Aborted with ShipError `locked` when someone took any of the nodes over. */
  readonly lost: AbortSignal;
  /** Asks the node. @throws ShipError `locked` when it is not ours any more, `network` */
  confirmLock(node: string): Promise<void>;
  /** The same nodes, also when they are not ours any more: for ending what we began on them. */
  readonly unheld: Fleet;
  /** Leaves a node locked at the end, and says why. */
  keepLock(node: string, why: unknown): void;
}

/**
 * Locks the nodes of a fleet against other runs. A node that someone else holds is listed as failed
 * with its holder; the others go on. In a dry run nothing is locked.
 *
 * @throws ShipError `interrupted`
 */
export async function lockFleet(
  context: Context,
  fleet: Fleet,
  options: Pick<StageOptions, 'overlaps'> & Pick<NodeLockOptions, 'removesFolder'> = {},
): Promise<LockedFleet> {
  await using taking = new Cleanup();
  const { removesFolder = false, ...stage } = options;
  const steps =
    context.flags.dryRun === true ? [] : lockSteps(context, fleet, taking, removesFolder);
  // One after the other, in the order of the config: two runs that each hold what the other waits
  // for would wait for ever.
  const inTurn = { ...looking(context), concurrency: 1, ...stage };
  const locked = await settleStage('Lock', steps, inTurn);
  const open = [...fleet.sessions].filter(([node]) => !locked.failures.has(node));
  const held = open.map(([node, session]) => {
    const lock = locked.results.get(node);
    return [node, lock === undefined ? session : heldSession(session, lock.lost)] as const;
  });
  const taken = taking.move();
  return {
    sessions: new Map<string, Session>(held),
    failures: new Map([...fleet.failures, ...locked.failures]),
    lost: AbortSignal.any([...locked.results.values()].map(({ lost }) => lost)),
    confirmLock: async (node) => locked.results.get(node)?.confirm(),
    unheld: fleet,
    keepLock: (node, why) => {
      locked.results.get(node)?.keep();
      const { message } = toShipError(why);
      context.output.note(`${node} stays locked, and the next run ends what is left: ${message}`);
    },
    [Symbol.asyncDispose]: () => taken[Symbol.asyncDispose](),
  };
}

function lockSteps(
  { config, flags, output }: Context,
  fleet: Fleet,
  taking: Cleanup,
  removesFolder: boolean,
): readonly Step<NodeLock>[] {
  const self = selfDescription();
  const wait = parseDuration(flags.lockWait ?? '0s');
  const note = (text: string): void => output.note(text);
  const inOrder = config.nodes.flatMap(({ name }) => {
    const session = fleet.sessions.get(name);
    return session === undefined ? [] : [[name, session] as const];
  });
  return inOrder.map(([node, session]) => ({
    id: node,
    title: `lock ${node}`,
    run: async ({ signal }) =>
      taking.use(await lockNode(session, self, { wait, signal, note, removesFolder })),
    describe: () => node,
  }));
}

/** @throws Error when the fleet has no such node: a bug */
export function sessionOf(fleet: Fleet, node: string): Session {
  const session = fleet.sessions.get(node);
  if (session === undefined) throw new Error(`not connected to ${node}`);
  return session;
}

/** A node that was without a connection may be someone else's by now. */
export function linkTo(fleet: LockedFleet, node: string): Link {
  const session = sessionOf(fleet, node);
  const reconnect = async (signal: AbortSignal): Promise<void> => {
    await session.reconnect(signal);
    await fleet.confirmLock(node);
  };
  return { ...session, reconnect };
}
