import { toShipError, type ShipError } from '../core/errors.ts';
import type { Progress, Run, Step } from '../core/step.ts';
import type { Output } from './output.ts';
import { progressText } from './progress.ts';

/** How every step of a stage ended; filled while the stage runs. */
export interface Collector<Out> {
  readonly results: Map<string, Out>;
  readonly failures: Map<string, ShipError>;
  readonly planned: Set<string>;
  readonly already: Set<string>;
}

interface StepRun<Out> {
  readonly stage: string;
  readonly step: Step<Out>;
  readonly settled: Collector<Out>;
  readonly options: {
    readonly output: Output;
    readonly signal: AbortSignal;
    readonly dryRun?: boolean;
  };
  readonly show: (text: string) => void;
}

/**
 * Looks, then acts, and files the result.
 *
 * @returns one line for people about the result, when the step has one
 * @throws ShipError the failure that was filed, so that the list draws a cross
 */
export async function settleStep<Out>(of: StepRun<Out>): Promise<string | undefined> {
  const { step, settled, options } = of;
  const started = performance.now();
  const report = reporter(of, () => (performance.now() - started) / 1000);
  try {
    options.signal.throwIfAborted();
    return await lookThenAct(of, report);
  } catch (error) {
    const failure = toShipError(options.signal.aborted ? options.signal.reason : error);
    settled.failures.set(step.id, failure);
    report({ state: 'failed', error: { kind: failure.kind, message: failure.message } });
    throw failure;
  }
}

type Report = (ending: {
  readonly state: 'started' | 'done' | 'already-done' | 'planned' | 'failed';
  readonly text?: string | undefined;
  readonly plan?: readonly string[];
  readonly error?: { readonly kind: ShipError['kind']; readonly message: string };
}) => void;

function reporter<Out>(of: StepRun<Out>, seconds: () => number): Report {
  const base = { event: 'step', stage: of.stage, step: of.step.id, title: of.step.title } as const;
  return ({ text, ...ending }) => {
    const timed = ending.state !== 'started' && ending.state !== 'planned';
    of.options.output.emit({
      ...base,
      ...ending,
      ...(text === undefined ? {} : { text }),
      ...(timed ? { seconds: seconds() } : {}),
    });
  };
}

async function lookThenAct<Out>(of: StepRun<Out>, report: Report): Promise<string | undefined> {
  const { step, settled, options } = of;
  const run = runOf(of);
  const found = await step.done?.(run);
  if (found !== undefined) {
    settled.already.add(step.id);
    return file(of, report, 'already-done', found);
  }
  if (options.dryRun === true) {
    settled.planned.add(step.id);
    report({ state: 'planned', plan: step.plan?.() ?? [] });
    return undefined;
  }
  report({ state: 'started' });
  return file(of, report, 'done', await step.run(run));
}

function file<Out>(
  { step, settled }: StepRun<Out>,
  report: Report,
  state: 'done' | 'already-done',
  result: Out,
): string | undefined {
  settled.results.set(step.id, result);
  const text = step.describe?.(result);
  report({ state, text });
  return text;
}

function runOf<Out>({ stage, step, options, show }: StepRun<Out>): Run {
  const text = progressText(() => performance.now());
  return {
    signal: options.signal,
    progress: (progress: Progress) => {
      show(options.output.clean(text(progress)));
      options.output.emit({ event: 'progress', stage, step: step.id, progress });
    },
  };
}
