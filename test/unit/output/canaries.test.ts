import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CommandSpec } from '../../../src/commands/command.ts';
import type { HooksFlag } from '../../../src/commands/flags.ts';
import { runHook } from '../../../src/commands/shared/hooks.ts';
import { withReceipt } from '../../../src/commands/shared/receipt.ts';
import { writeReports } from '../../../src/commands/shared/report-files.ts';
import type { Check } from '../../../src/core/check.ts';
import { ShipError } from '../../../src/core/errors.ts';
import { createRedactor } from '../../../src/core/redact.ts';
import type { Step } from '../../../src/core/step.ts';
import { jsonSink, logSink, type Event, type Sink } from '../../../src/output/event.ts';
import { createOutput, type ResultFormat } from '../../../src/output/output.ts';
import { REPORT_FORMATS, type Report } from '../../../src/output/report.ts';
import { settleStage } from '../../../src/output/stage.ts';
import { buildLog } from '../../../src/system/docker-log.ts';
import { testContext } from '../../support/context.ts';
import { ENCODINGS } from '../../support/encodings.ts';
import { testFolder } from '../../support/folder.ts';

const SECRETS = Array.from({ length: 12 }, (_, at) => `canary-${at} "${'kü5r'.repeat(3)}"/${at}`);
const EVERYTHING = Object.values(ENCODINGS).flatMap((encode) => SECRETS.map(encode));

/** Everything that a run shows or logs. */
function run(format: ResultFormat = 'text', more: readonly Sink[] = []) {
  const seen: string[] = [];
  const env = Object.fromEntries(SECRETS.map((secret, at) => [`TOKEN_${at}`, secret]));
  const write = (text: string): number => seen.push(text);
  const output = createOutput({
    ...{ mode: 'plain', format, commands: true, redactor: createRedactor(env) },
    sinks: [(event: Event) => seen.push(JSON.stringify(event)), ...more],
    ...{ stdout: write, stderr: write },
  });
  return { output, seen };
}

/** What a reader makes of a text: of XML and Markdown as well, and of JSON in JSON. */
function readings(text: string): readonly string[] {
  const names: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'" };
  const plain = text
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll(/&(lt|gt|quot|apos);/g, (_, name: string) => names[name] ?? '')
    .replaceAll('&amp;', '&');
  return [text, plain].flatMap((one) => [one, one.replaceAll(/\\(.)/g, '$1')]);
}

/** How often something was hidden. */
function hiddenIn(text: string): number {
  return Math.max(...readings(text).map((one) => one.split('[hidden]').length - 1));
}

/** Text of every secret in every encoding that is in there. */
function leaked(seen: readonly string[]): readonly string[] {
  const all = readings(seen.join('\n'));
  return EVERYTHING.filter((text) =>
    all.some((one) => one.includes(text) || one.includes(JSON.stringify(text).slice(1, -1))),
  );
}

/** A report in whose every text there is a secret. */
function reportOf(texts: readonly string[]): Report {
  const checks = texts.map((text, at): Check => {
    const said = { node: text, check: text, wanted: text, found: `<${text}>`, remedy: `a ${text}` };
    return { ...said, state: at % 2 === 0 ? 'failed' : 'unknown' };
  });
  return { name: 'drift', checks, file: 'ciliumship.lock' };
}

describe('D9: twelve secrets in six encodings', () => {
  test.each(['text', 'json', 'yaml'] as const)('D9: are in no result as %s', (format) => {
    const { output, seen } = run(format);
    for (const text of EVERYTHING) output.result(`<${text}>`, { text, list: [{ [text]: text }] });
    expect(leaked(seen)).toEqual([]);
    expect(hiddenIn(seen.join(''))).toBeGreaterThanOrEqual(EVERYTHING.length);
  });

  test.each(REPORT_FORMATS)('D9: are in no report as %s', (format) => {
    const { output, seen } = run(format);
    output.result('', {}, reportOf(EVERYTHING));
    expect(leaked(seen)).toEqual([]);
    expect(hiddenIn(seen.join(''))).toBeGreaterThanOrEqual(EVERYTHING.length);
  });

  test('D9: are in no file of --report', async () => {
    const folder = testFolder();
    const files = ['a.md', 'a.xml', 'a.sarif', 'a.json'].map((name) => join(folder, name));
    const report = reportOf(EVERYTHING);
    await writeReports(files, report, report, run().output);
    for (const file of files) {
      const text = readFileSync(file, 'utf8');
      expect(leaked([text]), file).toEqual([]);
      expect(hiddenIn(text), file).toBeGreaterThanOrEqual(EVERYTHING.length);
    }
  });

  test('D9: are in no receipt as page, JSON or Markdown, in no log, and not what hooks get', async () => {
    const folder = testFolder();
    writeFileSync(join(folder, 'hook'), '#!/bin/sh\ncat > "$CILIUMSHIP_HOOK"\n', { mode: 0o755 });
    const names = ['before-push', 'after-push', 'on-failure'] as const;
    const hooks = Object.fromEntries(names.map((name) => [name, 'hook']));
    const { context } = testContext(folder, { hooks: 'run' } as object, { hooks });
    const log = join(folder, 'log');
    const { output } = run('text', [logSink(log), jsonSink(join(folder, 'events'))]);
    vi.stubEnv('GITHUB_STEP_SUMMARY', join(folder, 'summary.md'));
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(withReceipt(failing, { ...context, output })).rejects.toMatchObject({
      kind: 'storage',
    });
    const receipts = join(folder, '.ciliumship/receipts');
    const files = [log, ...[...names, 'events', 'summary.md'].map((name) => join(folder, name))];
    for (const file of [...files, join(receipts, '0001.html'), join(receipts, '0001.json')]) {
      const text = readFileSync(file, 'utf8');
      expect(leaked([text]), file).toEqual([]);
      expect(hiddenIn(text), file).toBeGreaterThan(0);
    }
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

/** A push that shows every secret in every place that a receipt has, and fails. */
const failing: CommandSpec<HooksFlag> = {
  ...{ name: 'push', summary: '', description: '', examples: [], receipt: true },
  hooks: ['before-push', 'after-push', 'on-failure'],
  run: async (context) => {
    const { output, signal } = context;
    const steps = EVERYTHING.flatMap((text): readonly Step<string>[] => [
      { id: text, title: text, run: async () => text, describe: () => text },
      { id: `x${text}`, title: text, run: () => Promise.reject(new Error(text)) },
    ]);
    await settleStage(`Look ${EVERYTHING[0]}`, steps, { output, signal });
    output.record({ checks: [...reportOf(EVERYTHING).checks] });
    await runHook(context, 'before-push');
    await runHook(context, 'after-push');
    throw new ShipError('storage', EVERYTHING.join(' '), {
      details: EVERYTHING,
      hint: EVERYTHING[0] ?? '',
    });
  },
};

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
