import { setTimeout as sleep } from 'node:timers/promises';
import type { Action } from '../core/action.ts';
import { ShipError } from '../core/errors.ts';
import type { Node } from '../core/node.ts';
import { quoteArgv } from '../core/quote.ts';
import type { Argv, Remote } from '../core/remote.ts';
import type { Run } from '../core/step.ts';
import type { Setting } from './harden-plan.ts';

/** A node that undoes by itself what nobody confirms. */
export interface Guarded {
  readonly node: Node;
  readonly remote: Remote;
  /** Milliseconds until the node undoes what nobody confirmed. */
  readonly deadMan: number;
  /** Connects once more; throws when the node does not answer. */
  readonly connect: (signal: AbortSignal) => Promise<Remote & AsyncDisposable>;
}

export type Change = NonNullable<Setting['change']>;

/** systemd's name of the undoing: one for each node, so that two cannot be under way. */
const UNDO = 'ciliumship-undo';
/** Milliseconds before the node acts in which we no longer try. */
const MARGIN = 1_500;
const PAUSE = 300;

/** Of a run that was cut off: what it changed is about to be undone, and is looked at after that. */
export async function earlierUndo(guarded: Guarded, run: Run): Promise<void> {
  const end = performance.now() + guarded.deadMan;
  while ((await undoIsDue(guarded, run.signal)) && performance.now() < end) {
    run.progress({ text: 'waiting until the node has undone what an earlier run left' });
    await sleep(PAUSE, undefined, { signal: run.signal });
  }
}

/** Whether the node is about to undo something. Throws as `Remote.run`. */
export async function undoIsDue({ remote }: Guarded, signal: AbortSignal): Promise<boolean> {
  const argv: Argv = ['systemctl', 'is-active', '--quiet', `${UNDO}.timer`];
  return (await remote.run(argv, { sudo: true, signal, accept: [3, 4] })).code === 0;
}

/** Tells the node to put everything back as it was after a while, the last change first. */
function timerArgv({ deadMan }: Guarded, changes: readonly Change[]): Argv {
  const undo = changes.toReversed().map((change) => quoteArgv(change.undo));
  const after = [`--on-active=${deadMan / 1000}`, '--timer-property=AccuracySec=100ms'];
  return ['systemd-run', '--quiet', `--unit=${UNDO}`, ...after, 'sh', '-c', undo.join('; ')];
}

const CALL_OFF: Argv = ['systemctl', 'stop', `${UNDO}.timer`];

/** What `changeGuarded` does, for a dry run. */
export function guardedActions(
  guarded: Guarded,
  changes: readonly Change[],
): readonly Pick<Action, 'argv' | 'effect'>[] {
  if (changes.length === 0) return [];
  const seconds = guarded.deadMan / 1000;
  return [
    {
      argv: timerArgv(guarded, changes),
      effect: `lets the node undo it by itself in ${seconds} s`,
    },
    ...changes.map(({ argv, effect }) => ({ argv, effect })),
    { argv: CALL_OFF, effect: 'calls that off, over a new connection' },
  ];
}

/**
 * Makes changes that the node takes back by itself unless a new connection calls that off.
 *
 * @throws ShipError `network` when the node did not answer afterwards; as `Remote.run`
 */
export async function changeGuarded(
  guarded: Guarded,
  changes: readonly Change[],
  run: Run,
): Promise<void> {
  const { remote, deadMan } = guarded;
  await remote.run(timerArgv(guarded, changes), { sudo: true, signal: run.signal });
  // From here on the node acts by itself: what is not confirmed by then is not ours to repair.
  const until = AbortSignal.any([run.signal, AbortSignal.timeout(deadMan - MARGIN)]);
  try {
    for (const { argv } of changes) {
      run.progress({ text: quoteArgv(argv) });
      await remote.run(argv, { sudo: true, signal: until });
    }
    run.progress({ text: 'connecting once more' });
    await callOff(guarded, until);
  } catch (cause) {
    run.signal.throwIfAborted();
    throw unanswered(guarded, cause);
  }
}

/** Only an answer on a new connection counts: the old one may live on over a link that is dead. */
async function callOff({ connect }: Guarded, signal: AbortSignal): Promise<void> {
  await using again = await connect(signal);
  await again.run(CALL_OFF, { sudo: true, signal });
}

function unanswered({ node, deadMan }: Guarded, cause: unknown): ShipError {
  const seconds = deadMan / 1000;
  return new ShipError(
    'network',
    `${node.name}: the change was not confirmed over a new connection; the node undoes it within ${seconds} s`,
    {
      cause,
      retryable: true,
      details: cause instanceof Error ? [cause.message] : [],
      hint: `see that it did: ciliumship preflight --nodes ${node.name}; then leave out what cut it off`,
    },
  );
}
