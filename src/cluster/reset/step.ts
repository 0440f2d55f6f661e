import { planLines, type Action } from '../../core/action.ts';
import { ShipError } from '../../core/errors.ts';
import type { Remote } from '../../core/remote.ts';
import type { Run, Step } from '../../core/step.ts';
import { lastLines } from '../../core/text.ts';
import { readRemains, type Remains } from '../../facts/remains.ts';
import { MOUNTED } from './remove.ts';
import { refusal } from './guard.ts';
import type { Phase } from './phase.ts';

export interface Removed {
  readonly node: string;
  /** What was done, in words. */
  readonly done: readonly string[];
}

/** Every exit code: whether an action helped is seen by looking again. */
const ANY = Array.from({ length: 255 }, (_, index) => index + 1);
/** K3s's own script waits for containers that do not want to end. Milliseconds. */
const ACTION_TIMEOUT = 3 * 60_000;
/** A pin that goes can bring another program to light; more rounds than this help nobody. */
const ROUNDS = 3;

/** Everything that would be done on a node, by what is there now. */
export function actionsFor(phases: readonly Phase[], remains: Remains): readonly Action[] {
  return phases.flatMap(({ actions }) => actions(remains));
}

/**
 * Removes from one node what the phases find, one phase after the other. Each acts on a look just
 * before it and is done when a look after it finds nothing more, so a run that was cut off is taken
 * up by running it again, and a second run has nothing to do.
 *
 * @param seen what was there before, for a dry run
 * @throws ShipError `usage` when a guard refuses, `storage` for what stays; as `Remote.run`
 */
export function removeStep(
  remote: Remote,
  phases: readonly Phase[],
  seen: Remains,
  title: string,
): Step<Removed> {
  const { node } = remote;
  return {
    id: node,
    title,
    plan: () => planLines(actionsFor(phases, seen)),
    run: async (run) => {
      const done: string[] = [];
      let remains = await lookAt(remote, run);
      for (const phase of phases) remains = await clear({ remote, phase, done, run }, remains);
      return { node, done };
    },
    describe: ({ done }) => `${node} ${done.length === 0 ? 'has nothing of it' : 'is clear'}`,
  };
}

interface Clearing {
  readonly remote: Remote;
  readonly phase: Phase;
  readonly done: string[];
  readonly run: Run;
}

/** Looks, and refuses what became unsafe meanwhile. */
async function lookAt(remote: Remote, { signal }: Run): Promise<Remains> {
  const remains = await readRemains(remote, signal);
  const no = refusal(remains);
  if (no !== undefined) throw no;
  return remains;
}

/** @returns what is there after it */
async function clear(clearing: Clearing, seen: Remains): Promise<Remains> {
  const { remote, phase, run } = clearing;
  const said: string[] = [];
  let remains = seen;
  for (let round = 0; round < ROUNDS; round += 1) {
    const actions = phase.actions(remains);
    if (actions.length === 0) return remains;
    for (const action of actions) said.push(...(await act(clearing, action)));
    remains = await lookAt(remote, run);
  }
  const left = phase.actions(remains);
  if (left.length === 0) return remains;
  throw stays(remote.node, phase, left, said);
}

/** @returns what it said when it failed */
async function act({ remote, done, run }: Clearing, action: Action): Promise<readonly string[]> {
  const { signal } = run;
  run.progress({ text: action.effect });
  const options = { sudo: true, signal, timeout: ACTION_TIMEOUT, accept: ANY };
  const { code, stderr } = await remote.run(action.argv, options);
  if (code === MOUNTED) throw mounted(remote.node, action, stderr);
  if (code !== 0) return lastLines(stderr, 3);
  done.push(action.effect);
  return [];
}

function mounted(node: string, { effect }: Action, stderr: string): ShipError {
  return new ShipError('usage', `${node}: something is mounted where reset removes (${effect})`, {
    details: lastLines(stderr, 5),
    hint: 'unmount it on the node, its data stays; then run the same command again',
  });
}

function stays(
  node: string,
  { title }: Phase,
  left: readonly Action[],
  said: readonly string[],
): ShipError {
  return new ShipError('storage', `${node}: ${title}: this was done and did not help`, {
    details: [...left.map(({ effect }) => effect), ...said],
    hint: 'look at it on the node, then run the same command again: it goes on from here',
  });
}
