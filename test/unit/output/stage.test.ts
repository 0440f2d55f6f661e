import { createRedactor } from '../../../src/core/redact.ts';
import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import type { Step } from '../../../src/core/step.ts';
import type { Event } from '../../../src/output/event.ts';
import { createOutput } from '../../../src/output/output.ts';
import { runStage, settleStage } from '../../../src/output/stage.ts';
import { together } from '../../../src/output/together.ts';

function recorder() {
  const events: Event[] = [];
  const lines: string[] = [];
  const output = createOutput({
    redactor: createRedactor(),
    mode: 'plain',
    format: 'text',
    sinks: [(event) => events.push(event)],
    stdout: (text) => lines.push(text),
    stderr: (text) => lines.push(text),
  });
  return { events, lines, output, signal: new AbortController().signal };
}

const step = (id: string, run: () => Promise<string>, more: Partial<Step<string>> = {}) => ({
  id,
  title: `do ${id}`,
  run,
  ...more,
});

const failing = (kind: 'network' | 'storage') => () =>
  Promise.reject(new ShipError(kind, `worker: ${kind}`));

describe('a stage', () => {
  test('lets every step finish when one fails, then fails with its class', async () => {
    const to = recorder();
    let finished = false;
    const slow = step('slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      finished = true;
      return 'slow';
    });
    const run = runStage('Transfer', [step('worker', failing('storage')), slow], to);
    await expect(run).rejects.toMatchObject({ kind: 'storage', message: 'worker: storage' });
    expect(finished).toBe(true);
  });

  test('keeps the results of the steps that worked beside the failures', async () => {
    const to = recorder();
    const steps = [step('worker', failing('network')), step('master', async () => 'sent')];
    const settled = await settleStage('Transfer', steps, to);
    expect([...settled.results]).toEqual([['master', 'sent']]);
    expect([...settled.failures.keys()]).toEqual(['worker']);
  });

  test('looks before it acts and does not run what is done', async () => {
    const to = recorder();
    const done = step('worker', failing('network'), { done: async () => 'there' });
    const settled = await settleStage('Import', [done], to);
    expect([...settled.already]).toEqual(['worker']);
  });

  test('only looks in a dry run and prints the commands', async () => {
    const to = recorder();
    const plan = (): readonly string[] => ['worker: k3s ctr images ls'];
    const settled = await settleStage('Import', [step('worker', failing('network'), { plan })], {
      ...to,
      dryRun: true,
    });
    expect([...settled.planned]).toEqual(['worker']);
    expect(to.lines.join('')).toContain('    worker: k3s ctr images ls');
  });

  test.each([
    [true, ['first', 'second']],
    [false, ['first', 'second', 'third']],
  ])('with stopAtFailure %s runs %j when the second fails', async (stopAtFailure, expected) => {
    const to = recorder();
    const ran: string[] = [];
    const noting = (id: string, then: () => Promise<string>) =>
      step(id, () => {
        ran.push(id);
        return then();
      });
    const steps = [
      noting('first', async () => 'fine'),
      noting('second', failing('storage')),
      noting('third', async () => 'fine'),
    ];
    const settled = await settleStage('Roll out', steps, { ...to, concurrency: 1, stopAtFailure });
    expect(ran).toEqual(expected);
    expect([...settled.results.keys()]).toEqual(expected.filter((id) => id !== 'second'));
    expect([...settled.failures.keys()]).toEqual(['second']);
    expect(to.events.at(-1)).toMatchObject({ event: 'stage', state: 'failed' });
  });

  test('starts nothing more once it was cancelled and throws the reason', async () => {
    const to = recorder();
    const controller = new AbortController();
    const reason = new ShipError('interrupted', 'interrupted');
    const first = step('first', async () => {
      controller.abort(reason);
      return 'first';
    });
    let ran = false;
    const second = step('second', async () => {
      ran = true;
      return 'second';
    });
    const options = { ...to, signal: controller.signal, concurrency: 1 };
    await expect(settleStage('Import', [first, second], options)).rejects.toBe(reason);
    expect(ran).toBe(false);
  });

  test('an unforeseen error is a bug of the step, not a crash', async () => {
    const to = recorder();
    const broken = step('worker', () => Promise.reject(new TypeError('x is undefined')));
    await expect(runStage('Plan', [broken], to)).rejects.toMatchObject({ kind: 'bug' });
  });
});

describe('stages that overlap', () => {
  test('a step waits until it is ready, and its stage begins with it', async () => {
    const to = recorder();
    const arrived = Promise.withResolvers<boolean>();
    const ran: string[] = [];
    const noting = (id: string) => async (): Promise<string> => {
      ran.push(id);
      return id;
    };
    const importing = settleStage(
      'Import',
      [step('worker', noting('imported'), { ready: arrived.promise })],
      { ...to, overlaps: true },
    );
    const sent = step('worker', async () => {
      arrived.resolve(true);
      return noting('sent')();
    });
    await Promise.all([importing, settleStage('Send', [sent], { ...to, overlaps: true })]);
    expect(ran).toEqual(['sent', 'imported']);
    const begun = to.events.flatMap((one) =>
      one.event === 'stage' && one.state === 'started' ? [one.stage] : [],
    );
    expect(begun).toEqual(['Send', 'Import']);
  });

  test('a step that will never be ready is left out, and is no failure', async () => {
    const to = recorder();
    const steps = [step('worker', failing('network'), { ready: Promise.resolve(false) })];
    const settled = await settleStage('Import', steps, to);
    expect([...settled.results, ...settled.failures, ...settled.planned]).toEqual([]);
    expect(to.events).toEqual([]);
  });

  test('a waiting step takes nobody’s turn', async () => {
    const to = recorder();
    const ready = Promise.withResolvers<boolean>();
    const ran: string[] = [];
    const steps = [
      step('slow', async () => String(ran.push('slow')), { ready: ready.promise }),
      step('quick', async () => {
        ready.resolve(true);
        return String(ran.push('quick'));
      }),
    ];
    const settled = await settleStage('Import', steps, { ...to, concurrency: 1 });
    expect(ran).toEqual(['quick', 'slow']);
    // Whoever shows nodes shows them where they always stand, and not where they ended this time.
    expect([...settled.results.keys()]).toEqual(['slow', 'quick']);
  });

  test('all come to their end, and the first failure in order is the one that counts', async () => {
    const to = recorder();
    const ended: string[] = [];
    const part = async (name: string, turns: number): Promise<string> => {
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      ended.push(name);
      throw new ShipError('network', name);
    };
    const both = together<[string, string]>(to.output, part('slow', 5), part('quick', 1));
    await expect(both).rejects.toMatchObject({ message: 'slow' });
    expect(ended).toEqual(['quick', 'slow']);
  });
});

test('control characters of a node never reach the terminal', async () => {
  const to = recorder();
  to.output.note('worker says \u001b[2J\u202ehello');
  expect(to.lines).toEqual(['worker says \\u001b[2J\\u202ehello\n']);
});
