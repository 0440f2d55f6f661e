import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../../src/core/redact.ts';
import type { Step } from '../../../src/core/step.ts';
import type { Event } from '../../../src/output/event.ts';
import { createOutput, type ResultFormat } from '../../../src/output/output.ts';
import { settleStage } from '../../../src/output/stage.ts';
import { buildLog } from '../../../src/system/docker-log.ts';
import { ENCODINGS } from '../../support/encodings.ts';

const SECRETS = Array.from({ length: 12 }, (_, at) => `canary-${at} "${'kü5r'.repeat(3)}"/${at}`);
const EVERYTHING = Object.values(ENCODINGS).flatMap((encode) => SECRETS.map(encode));

/** Everything that a run shows or logs. */
function run(format: ResultFormat = 'text') {
  const seen: string[] = [];
  const env = Object.fromEntries(SECRETS.map((secret, at) => [`TOKEN_${at}`, secret]));
  const write = (text: string): number => seen.push(text);
  const output = createOutput({
    ...{ mode: 'plain', format, commands: true, redactor: createRedactor(env) },
    sinks: [(event: Event) => seen.push(JSON.stringify(event))],
    ...{ stdout: write, stderr: write },
  });
  return { output, seen };
}

/** Text of every secret in every encoding that is in there. */
function leaked(seen: readonly string[]): readonly string[] {
  const all = seen.join('\n');
  return EVERYTHING.filter(
    (text) => all.includes(text) || all.includes(JSON.stringify(text).slice(1, -1)),
  );
}

describe('D9: twelve secrets in six encodings', () => {
  test.each(['text', 'json', 'yaml'] as const)('D9: are in no result as %s', (format) => {
    const { output, seen } = run(format);
    for (const text of EVERYTHING) output.result(`<${text}>`, { text, list: [{ [text]: text }] });
    expect(leaked(seen)).toEqual([]);
    expect(seen.join('').split('[hidden]').length).toBeGreaterThan(EVERYTHING.length);
  });

  test('D9: are in no step, plan, note, command, error or fact', async () => {
    const { output, seen } = run();
    const { signal } = new AbortController();
    const steps = EVERYTHING.flatMap((text): readonly Step<string>[] => [
      { id: text, title: text, run: async () => text, describe: () => text },
      { id: `x${text}`, title: text, run: () => Promise.reject(new Error(text)) },
    ]);
    await settleStage('Look', steps, { output, signal });
    const planned = steps.map((step) => ({ ...step, plan: () => [step.title] }));
    await settleStage('Look', planned, { output, signal, dryRun: true });
    for (const text of EVERYTHING) {
      output.note(text);
      output.emit({ event: 'command', node: 'worker', command: text });
      output.emit({ event: 'error', kind: 'network', message: text, details: [text], text });
    }
    expect(leaked(seen)).toEqual([]);
    expect(seen.length).toBeGreaterThan(EVERYTHING.length * 6);
  });

  test('D9: are in no line of a build, wherever its output is cut into pieces', () => {
    const key = Object.keys(ENCODINGS).length;
    expect(key).toBe(6);
    const { output } = run();
    for (const secret of SECRETS) {
      for (const encode of Object.values(ENCODINGS)) {
        const bytes = Buffer.from(`before\n${encode(secret)} after\n`);
        for (let cut = 1; cut < bytes.length; cut += 1) {
          const log = buildLog('cilium');
          const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
          const shown = pieces.map((data) => output.clean(log.record(printed(data)) ?? ''));
          const failed = output.clean(log.failure('it failed').details.join('\n'));
          const half = encode(secret).slice(0, Math.ceil(encode(secret).length / 2));
          expect([...shown, failed].join('\n')).not.toContain(half);
        }
      }
    }
  });
});

/** What BuildKit tells of a step that printed something. */
function printed(data: Buffer) {
  const vertex = {
    digest: 'a',
    name: 'RUN make',
    started: true,
    completed: false,
    error: 'failed',
  };
  return { vertexes: [{ ...vertex, completed: true }], logs: [{ vertex: 'a', data }] };
}
