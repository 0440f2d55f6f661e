import type { Event } from '../event.ts';
import type { Facts, Receipt, Stage, StageStep } from './schema.ts';

/** What the events of a run say so far. */
export type Recorded = Facts & Pick<Receipt, 'stages'>;

export const NOTHING_RECORDED: Recorded = { images: [], nodes: [], checks: [], stages: [] };

type StepEvent = Extract<Event, { event: 'step' }>;

/**
 * Adds one event to what was recorded. A receipt is what the events of a run add up to: no stage
 * knows of it, and a run that fails half way has recorded everything until then.
 *
 * @param at milliseconds since the start of the run
 * @param nodeOf name of the node that a step works on, by the id of the step
 */
export function recordEvent(
  recorded: Recorded,
  event: Event,
  at: number,
  nodeOf: (step: string) => string | undefined,
): Recorded {
  switch (event.event) {
    case 'facts':
      return { ...recorded, ...event.facts };
    case 'stage':
      return event.state === 'started'
        ? { ...recorded, stages: [...recorded.stages, startedStage(event.stage, at)] }
        : changeStage(recorded, event.stage, { state: event.state, end: at });
    case 'step':
      return recordStep(recorded, event, at, nodeOf(event.step));
    default:
      return recorded;
  }
}

function startedStage(stage: string, at: number): Stage {
  return { stage, state: 'running', start: at, end: at, steps: [] };
}

/** The newest stage of that name: a run may look at its nodes twice. */
function changeStage(recorded: Recorded, name: string, change: Partial<Stage>): Recorded {
  const index = recorded.stages.findLastIndex(({ stage }) => stage === name);
  const stages = recorded.stages.map((stage, at) =>
    at === index ? { ...stage, ...change } : stage,
  );
  return { ...recorded, stages };
}

function recordStep(
  recorded: Recorded,
  event: StepEvent,
  at: number,
  node: string | undefined,
): Recorded {
  const stage = recorded.stages.findLast((one) => one.stage === event.stage);
  const step = endedStep(event, at, stage?.start ?? 0, node);
  if (stage === undefined || step === undefined) return recorded;
  return changeStage(recorded, event.stage, { end: at, steps: [...stage.steps, step] });
}

/** Undefined for a step that goes on, or that a dry run left alone. */
function endedStep(
  event: StepEvent,
  at: number,
  since: number,
  node: string | undefined,
): StageStep | undefined {
  const { step, title, state, seconds = 0, text, error } = event;
  if (state === 'started' || state === 'planned') return undefined;
  return {
    step,
    title,
    ...(node === undefined ? {} : { node }),
    state,
    // Never before its stage: clocks are read at slightly different moments.
    start: Math.max(since, at - seconds * 1000),
    end: at,
    ...(text === undefined ? {} : { text }),
    ...(error === undefined ? {} : { error }),
  };
}
