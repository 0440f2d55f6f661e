import { stringify } from 'yaml';
import type { Redactor } from '../core/redact.ts';
import { escapeControls } from '../core/text.ts';
import type { Event, Sink } from './event.ts';
import { jsonText, withoutCommands } from './json.ts';
import { plainSink } from './plain.ts';
import type { Facts } from './receipt/schema.ts';
import { reportText, type Report, type ReportFormat } from './report.ts';
import { foldLines } from './wrap.ts';

export type ResultFormat = 'text' | 'json' | 'yaml' | ReportFormat;

/** Where a run shows what it does. Results go to stdout, everything else to stderr. */
export interface Output {
  readonly mode: 'tty' | 'plain' | 'quiet';
  readonly format: ResultFormat;
  emit(event: Event): void;
  /** A line for people about what happens. */
  note(text: string): void;
  /** What a stage came to, for the receipt and for machines. */
  record(facts: Partial<Facts>): void;
  /** Gives every event from now on to one more sink. */
  listen(sink: Sink): void;
  /**
   * The result of the command: `text` for people, `data` for machines, as `-o` says; `report` is for
   * the forms that only commands with `formats` offer.
   */
  result(text: string, data: unknown, report?: Report): void;
  /** What `result` would print, without secrets. */
  render(text: string, data: unknown, report?: Report): string;
  /** Hides a secret in everything that is shown or logged from now on. */
  hide(secret: string): void;
  /** A text as it may be shown: without secrets. */
  clean(text: string): string;
  /** The same with every text inside a value, before it is written in any form. */
  cleanAll<T>(value: T): T;
}

export interface OutputOptions {
  readonly mode: Output['mode'];
  readonly format: ResultFormat;
  readonly sinks: readonly Sink[];
  readonly redactor: Redactor;
  /** Whether each command of a node is shown, in plain mode. */
  readonly commands?: boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** Joins the sinks of a run. Control characters are escaped here, once, for every sink of people. */
export function createOutput(options: OutputOptions): Output {
  const { clean, add } = options.redactor;
  const line = (text: string): void => options.stderr(`${escapeControls(text)}\n`);
  const sinks = [
    ...options.sinks,
    ...(options.mode === 'plain' ? [plainSink(line, options.commands === true)] : []),
  ];
  const cleanAll: Output['cleanAll'] = <T>(value: T) => cleanStrings(value, clean) as T;
  const emit = (event: Event): void => {
    const cleaned = cleanAll(event);
    for (const sink of sinks) sink(cleaned);
  };
  // Before it is written in any form, which may be a second one around the first.
  const rendered: Output['render'] = (text, data, report) =>
    clean(
      render(options.format, {
        text: clean(text),
        data: cleanAll(data),
        report: cleanAll(report),
      }),
    );
  return {
    mode: options.mode,
    format: options.format,
    emit,
    note: (text) => {
      emit({ event: 'note', text });
      if (options.mode === 'tty') line(foldLines(clean(text)));
    },
    record: (facts) => emit({ event: 'facts', facts }),
    listen: (sink) => sinks.push(sink),
    result: (...of) => options.stdout(`${rendered(...of)}\n`),
    render: rendered,
    hide: add,
    clean,
    cleanAll,
  };
}

/** Every string inside a value, cleaned before it is written in any form. */
function cleanStrings(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map((item) => cleanStrings(item, clean));
  if (value instanceof Map) return cleanStrings(Object.fromEntries(value), clean);
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [clean(key), cleanStrings(item, clean)]),
  );
}

interface Result {
  readonly text: string;
  readonly data: unknown;
  readonly report: Report | undefined;
}

function render(format: ResultFormat, { text, data, report }: Result): string {
  if (format === 'json') return jsonText(data);
  // In a block each line of a text would begin a line of ours.
  if (format === 'yaml') {
    return withoutCommands(stringify(data, { blockQuote: false, lineWidth: 0 }).trimEnd());
  }
  if (format === 'text') return escapeControls(text);
  if (report === undefined) throw new Error(`this command gives no ${format}`);
  return withoutCommands(reportText(format, report));
}
