import pLimit from 'p-limit';
import { combineFailures, toShipError, type ShipError } from '../core/errors.ts';
import type { Step } from '../core/step.ts';
import { drawInTurn, type Ended, type RunningStep } from './list.ts';
import type { Output } from './output.ts';
import { settleStep, type Collector } from './settle-step.ts';
import { fold } from './wrap.ts';

export interface StageOptions {
  readonly output: Output;
  readonly signal: AbortSignal;
  /** How many steps run at once; all of them when not given. */
  readonly concurrency?: number;
  /** Only look: call `done`, never `run`. */
  readonly dryRun?: boolean;
  /** Leave the steps after a failed one alone; needs a concurrency of 1. */
  readonly stopAtFailure?: boolean;
  /** Do not wait until it is drawn: other stages run beside it. */
  readonly overlaps?: boolean;
}

/** How every step of a stage ended. A step is in exactly one of `results`, `failures`, `planned`. */
export interface Settled<Out> {
  readonly results: ReadonlyMap<string, Out>;
  readonly failures: ReadonlyMap<string, ShipError>;
  readonly planned: ReadonlySet<string>;
  /** Ids of results that `done` gave: nothing was changed for them. */
  readonly already: ReadonlySet<string>;
}

/**
 * Runs the steps of one stage and waits for every one of them, whatever happens to the others.
 * Nothing is thrown for a failed step: the caller decides what a failure means. A step that is never
 * ready is left out.
 *
 * @throws ShipError `interrupted` or `terminated` when the signal was aborted
 */
export async function settleStage<Out>(
  stage: string,
  steps: readonly Step<Out>[],
  options: StageOptions,
): Promise<Settled<Out>> {
  const settled: Collector<Out> = {
    results: new Map(),
    failures: new Map(),
    planned: new Set(),
    already: new Set(),
  };
  if (steps.length === 0) return settled;
  const clock = stageClock(stage, options.output);
  const running = startSteps(stage, steps, settled, { ...options, begin: clock.begin });
  const { output, concurrency, stopAtFailure = false } = options;
  const { seconds } = clock;
  const drawn = drawInTurn(output, { stage, steps: running, concurrency, stopAtFailure, seconds });
  await Promise.allSettled(running.map(({ done }) => done));
  if (options.overlaps !== true) await drawn;
  if (output.mode === 'tty') showPlans(steps, settled, output);
  clock.end(settled.failures.size === 0 ? 'done' : 'failed');
  if (options.signal.aborted) throw toShipError(options.signal.reason);
  return inOrder(steps, settled);
}

/** Everything as the steps were given, and not as they happened to end: nodes keep their places. */
function inOrder<Out>(steps: readonly Step<Out>[], settled: Collector<Out>): Settled<Out> {
  const ids = steps.map(({ id }) => id);
  const sorted = <T>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...map].toSorted(([one], [other]) => ids.indexOf(one) - ids.indexOf(other)));
  return { ...settled, results: sorted(settled.results), failures: sorted(settled.failures) };
}

/**
 * Like settleStage, for stages whose failures stop the command.
 *
 * @returns id of each step → its result (in a dry run, only of those with nothing left to do)
 * @throws ShipError of the highest class of all failures
 */
export async function runStage<Out>(
  stage: string,
  steps: readonly Step<Out>[],
  options: StageOptions,
): Promise<ReadonlyMap<string, Out>> {
  const settled = await settleStage(stage, steps, options);
  if (settled.failures.size > 0) throw combineFailures(stage.toLowerCase(), settled.failures);
  return settled.results;
}

/** A stage begins with its first step that is ready, which may be long after it was asked for. */
function stageClock(stage: string, output: Output) {
  let began: number | undefined;
  const seconds = (): number => (began === undefined ? 0 : (performance.now() - began) / 1000);
  return {
    seconds,
    begin: (): void => {
      if (began !== undefined) return;
      began = performance.now();
      output.emit({ event: 'stage', stage, state: 'started' });
    },
    end: (state: 'done' | 'failed'): void => {
      if (began !== undefined) output.emit({ event: 'stage', stage, state, seconds: seconds() });
    },
  };
}

/** The live list has no room for what a dry run would do; it follows below. */
function showPlans<Out>(
  steps: readonly Step<Out>[],
  { planned }: Settled<Out>,
  output: Output,
): void {
  for (const step of steps.filter(({ id }) => planned.has(id))) {
    output.note(`  would ${step.title}`);
    for (const line of step.plan?.() ?? []) output.note(fold(line, '    '));
  }
}

/** Starts every step whose turn it is, and the others when theirs comes. */
function startSteps<Out>(
  stage: string,
  steps: readonly Step<Out>[],
  settled: Collector<Out>,
  options: StageOptions & { readonly begin: () => void },
): readonly RunningStep[] {
  const limit = pLimit(options.concurrency ?? Number.POSITIVE_INFINITY);
  let stopped = false;
  return steps.map((step) => {
    const { show, watch } = lastTold();
    const run = async (): Promise<Ended> => {
      if (stopped) return LEFT_OUT;
      options.begin();
      const started = performance.now();
      try {
        const summary = await settleStep({ stage, step, settled, options, show });
        return { summary, seconds: (performance.now() - started) / 1000 };
      } catch (error) {
        stopped = options.stopAtFailure === true;
        throw error;
      }
    };
    const done = whenReady(step, () => limit(run));
    // Who draws it may come late.
    done.catch(() => undefined);
    return { title: step.title, done, watch };
  });
}

const LEFT_OUT: Ended = { summary: undefined, seconds: undefined };

async function whenReady<Out>({ ready }: Step<Out>, run: () => Promise<Ended>): Promise<Ended> {
  return ready === undefined || (await ready) ? run() : LEFT_OUT;
}

/** Passes on what a step tells, to whoever watches it from some time on. */
function lastTold(): { readonly show: (text: string) => void } & Pick<RunningStep, 'watch'> {
  let last: string | undefined;
  let watcher: ((text: string) => void) | undefined;
  return {
    show: (text) => {
      last = text;
      watcher?.(text);
    },
    watch: (by) => {
      watcher = by;
      if (last !== undefined) by(last);
    },
  };
}
