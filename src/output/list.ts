import type { ListrDefaultRendererLogLevels, ListrTask } from 'listr2';
import type { Output } from './output.ts';

/** A step that is under way, or that waits for its turn. */
export interface RunningStep {
  readonly title: string;
  /** How it ended; rejects when it failed. */
  readonly done: Promise<Ended>;
  /** Calls `show` with what the step tells of its progress, the last that it told first. */
  readonly watch: (show: (text: string) => void) => void;
}

/** How a step ended that did not fail. */
export interface Ended {
  /** One line for people about the result, when it has one. */
  readonly summary: string | undefined;
  /** Undefined for one that was left out, because what it waited for never came. */
  readonly seconds: number | undefined;
}

/** What a list shows: the steps of one stage. */
export interface Shown {
  readonly stage: string;
  readonly steps: readonly RunningStep[];
  /** As the steps are run. */
  readonly concurrency: number | undefined;
  readonly stopAtFailure: boolean;
  /** Seconds that the stage has taken so far. */
  readonly seconds: () => number;
}

/** Stage names are padded so that what follows them lines up. */
const TITLE_WIDTH = 10;

const turns = new WeakMap<Output, Promise<void>>();

/**
 * Draws a stage as one listr2 list, after the lists that were begun before it. A list only shows:
 * stages overlap, and one whose turn comes late begins with how far it has come by then.
 */
export function drawInTurn(output: Output, shown: Shown): Promise<void> {
  if (output.mode !== 'tty') return Promise.resolve();
  const drawn = allDrawn(output).then(() => draw(shown));
  turns.set(output, drawn);
  return drawn;
}

/** Waits for every list that was begun so far. */
export function allDrawn(output: Output): Promise<void> {
  return turns.get(output) ?? Promise.resolve();
}

async function draw({ stage, steps, concurrency, stopAtFailure, seconds }: Shown): Promise<void> {
  // Loaded late: a pipe needs none of it.
  const { color, Listr, ListrLogger, parseTimer, ProcessOutput } = await import('listr2');
  const dim = color['dim'] ?? String;
  const timed = (text: string, took: number): string =>
    `${text} ${dim(`[${parseTimer(took * 1000)}]`)}`;
  const summaries = new Map<number, string>();
  const title = (): string => {
    const texts = steps.flatMap((_, at) => summaries.get(at) ?? []);
    return timed(`${stage.padEnd(TITLE_WIDTH)}${texts.join(' · ')}`.trimEnd(), seconds());
  };
  const drawn: ListrTask = {
    title: stage,
    task: (_: unknown, parent) =>
      parent.newListr(
        steps.map((step, at) => ({
          title: step.title,
          task: async (__: unknown, task) => {
            step.watch((text) => (task.output = text));
            const { summary, seconds: took } = await step.done;
            if (took === undefined) {
              task.skip();
              return;
            }
            if (summary !== undefined) summaries.set(at, summary);
            task.title = timed(step.title, took);
            parent.title = title();
          },
        })),
        { concurrent: concurrency ?? true, exitOnError: stopAtFailure },
      ),
  };
  const logger = new ListrLogger<ListrDefaultRendererLogLevels>({
    processOutput: new ProcessOutput(process.stderr, process.stderr),
  });
  await new Listr([drawn], {
    registerSignalListeners: false,
    exitOnError: false,
    rendererOptions: { collapseErrors: true, logger },
  }).run();
}
