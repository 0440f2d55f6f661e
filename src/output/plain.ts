import { formatSeconds } from '../core/text.ts';
import type { Event, Sink } from './event.ts';

/**
 * One line for each thing that starts or ends, for pipes and logs. Progress itself is not shown.
 *
 * @param commands whether each command of a node is shown too
 */
export function plainSink(write: (line: string) => void, commands: boolean): Sink {
  return (event) => {
    if (event.event === 'command' && commands) write(`${event.node}$ ${event.command}`);
    for (const line of plainLines(event)) write(line);
  };
}

function plainLines(event: Event): readonly string[] {
  switch (event.event) {
    case 'step':
      return stepLines(event);
    case 'note':
      return [event.text];
    default:
      return [];
  }
}

function stepLines(event: Extract<Event, { event: 'step' }>): readonly string[] {
  const head = `${event.stage}: ${event.title}`;
  const took = event.seconds === undefined ? '' : ` (${formatSeconds(event.seconds)})`;
  const endings: Readonly<Record<typeof event.state, string>> = {
    started: ' …',
    done: `: ${event.text ?? 'done'}${took}`,
    'already-done': `: ${event.text ?? 'nothing to do'}`,
    planned: ': would run',
    failed: `: failed: ${event.error?.message ?? ''}`,
  };
  const plan = (event.plan ?? []).map((line) => `    ${line}`);
  return [`${head}${endings[event.state]}`, ...plan];
}
