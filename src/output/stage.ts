import {
  Listr,
  ListrLogger,
  PRESET_TIMER,
  ProcessOutput,
  type ListrDefaultRendererLogLevels,
  type ListrBaseClassOptions,
  type ListrTask,
} from 'listr2';
import { combineFailures, toShipError, type ShipError } from '../core/errors.ts';
import type { Step } from '../core/step.ts';
import type { Output } from './output.ts';
import { settleStep, type Collector } from './settle-step.ts';

export interface StageOptions {
  readonly output: Output;
  readonly signal: AbortSignal;
  /** How many steps run at once; all of them when not given. */
  readonly concurrency?: number;
  /** Only look: call `done`, never `run`. */
  readonly dryRun?: boolean;
  /** Leave the steps after a failed one alone; needs a concurrency of 1. */
  readonly stopAtFailure?: boolean;
}

/** Stage names are padded so that what follows them lines up. */
const TITLE_WIDTH = 10;

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
 * Nothing is thrown for a failed step: the caller decides what a failure means.
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
  const started = performance.now();
  options.output.emit({ event: 'stage', stage, state: 'started' });
  await drawList(stage, steps, settled, options);
  if (options.output.mode === 'tty') showPlans(steps, settled, options.output);
  const seconds = (performance.now() - started) / 1000;
  const state = settled.failures.size === 0 ? 'done' : 'failed';
  options.output.emit({ event: 'stage', stage, state, seconds });
  if (options.signal.aborted) throw toShipError(options.signal.reason);
  return settled;
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

/** The live list has no room for what a dry run would do; it follows below. */
function showPlans<Out>(
  steps: readonly Step<Out>[],
  { planned }: Settled<Out>,
  output: Output,
): void {
  for (const step of steps.filter(({ id }) => planned.has(id))) {
    output.note(`  would ${step.title}`);
    for (const line of step.plan?.() ?? []) output.note(`    ${line}`);
  }
}

/** One listr2 list. listr2 only draws: results, failures and signals are ours. */
async function drawList<Out>(
  stage: string,
  steps: readonly Step<Out>[],
  settled: Collector<Out>,
  options: StageOptions,
): Promise<void> {
  const summaries = new Map<string, string>();
  const title = (): string => {
    const texts = steps.flatMap((step) => summaries.get(step.id) ?? []);
    return `${stage.padEnd(TITLE_WIDTH)}${texts.join(' · ')}`.trimEnd();
  };
  const drawn: ListrTask = {
    title: stage,
    task: (_: unknown, parent) =>
      parent.newListr(
        steps.map((step) => ({
          title: step.title,
          task: async (__: unknown, task) => {
            const show = (text: string): void => {
              task.output = text;
            };
            const summary = await settleStep({ stage, step, settled, options, show });
            if (summary !== undefined) summaries.set(step.id, summary);
            parent.title = title();
          },
        })),
        { concurrent: options.concurrency ?? true, exitOnError: options.stopAtFailure ?? false },
      ),
  };
  await new Listr([drawn], listOptions(options.output)).run();
}

function listOptions(output: Output): ListrBaseClassOptions<unknown, 'default' | 'silent'> {
  const logger = new ListrLogger<ListrDefaultRendererLogLevels>({
    processOutput: new ProcessOutput(process.stderr, process.stderr),
  });
  return {
    registerSignalListeners: false,
    exitOnError: false,
    renderer: output.mode === 'tty' ? 'default' : 'silent',
    rendererOptions: { timer: PRESET_TIMER, collapseErrors: true, logger },
  };
}
