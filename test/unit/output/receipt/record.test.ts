import { describe, expect, test } from 'vitest';
import type { Event } from '../../../../src/output/event.ts';
import {
  NOTHING_RECORDED,
  recordEvent,
  type Recorded,
} from '../../../../src/output/receipt/record.ts';

const CHECK = { node: 'worker', check: '', state: 'ok', wanted: '', found: '' } as const;
const NODES = new Map([['worker', 'worker']]);

/** What the events add up to; each comes 100 ms after the one before it. */
function record(...events: readonly Event[]): Recorded {
  return events.reduce(
    (recorded, event, index) => recordEvent(recorded, event, index * 100, (id) => NODES.get(id)),
    NOTHING_RECORDED,
  );
}

const started = (stage: string): Event => ({ event: 'stage', stage, state: 'started' });
const ended = (stage: string, state: 'done' | 'failed' = 'done'): Event => ({
  event: 'stage',
  stage,
  state,
  seconds: 0,
});
const step = (
  stage: string,
  id: string,
  more: Partial<Extract<Event, { event: 'step' }>> = {},
): Event => ({ event: 'step', stage, step: id, title: `do ${id}`, state: 'done', ...more });

describe('the record of a run', () => {
  test('has each step with its node, and with its start from how long it took', () => {
    const sent = step('Send', 'worker', { seconds: 0.15, text: 'worker 2 MB' });
    const { stages } = record(started('Send'), step('Send', 'worker', { state: 'started' }), sent);
    expect(stages).toEqual([
      {
        stage: 'Send',
        state: 'running',
        start: 0,
        end: 200,
        steps: [
          {
            step: 'worker',
            title: 'do worker',
            node: 'worker',
            state: 'done',
            start: 50,
            end: 200,
            text: 'worker 2 MB',
          },
        ],
      },
    ]);
  });

  test('ends a stage as it ended', () => {
    const { stages } = record(started('Send'), ended('Send', 'failed'));
    expect(stages).toMatchObject([{ stage: 'Send', state: 'failed', start: 0, end: 100 }]);
  });

  test('keeps two stages of one name apart', () => {
    const look = [started('Look'), step('Look', 'worker'), ended('Look')];
    const { stages } = record(...look, ...look);
    expect(stages.map(({ start, steps }) => [start, steps.length])).toEqual([
      [0, 1],
      [300, 1],
    ]);
  });

  test('keeps the error of a step that failed', () => {
    const error = { kind: 'network', message: 'worker: gone' } as const;
    const failed = step('Send', 'worker', { state: 'failed', error });
    expect(record(started('Send'), failed).stages[0]?.steps).toMatchObject([{ error }]);
  });

  test('takes facts as they come, the newest of each kind', () => {
    const facts = (...keys: readonly string[]): Event => {
      const checks = keys.map((check) => ({ ...CHECK, check }));
      return { event: 'facts', facts: { checks } };
    };
    const { checks, nodes } = record(facts('a'), facts('b', 'c'));
    expect(checks.map(({ check }) => check)).toEqual(['b', 'c']);
    expect(nodes).toEqual([]);
  });

  test('has nothing of what is only shown', () => {
    const progress = { bytes: 1, total: 2 };
    const shown: readonly Event[] = [
      { event: 'note', text: 'hello' },
      { event: 'progress', stage: 'Send', step: 'worker', progress },
    ];
    expect(record(...shown)).toBe(NOTHING_RECORDED);
  });
});
