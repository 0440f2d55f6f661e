import { StringDecoder } from 'node:string_decoder';
import { ShipError } from '../core/errors.ts';
import { escapeControls, lastLines } from '../core/text.ts';
import type { BuildStatus, BuildVertex } from './docker-trace.ts';

/** Bytes kept of what each step prints: enough for 20 long lines. */
const KEPT = 64 * 1024;
const SHOWN_LINES = 20;

/** Follows a build: which step runs now, and what each printed last. */
export interface BuildLog {
  /** @returns the line to show, when the status says something new */
  record(status: BuildStatus): string | undefined;
  /**
   * The failure of the build: the failing step by name with its last 20 lines.
   *
   * @param said the engine's own words, used when no step failed
   */
  failure(said: string): ShipError;
}

/** @param key of the image, for the messages */
export function buildLog(key: string): BuildLog {
  const vertexes = new Map<string, BuildVertex>();
  const printed = new Map<string, string>();
  const decoders = new Map<string, StringDecoder>();
  return {
    record: ({ vertexes: changed, logs }) => {
      for (const vertex of changed) vertexes.set(vertex.digest, vertex);
      for (const { vertex, data } of logs) {
        const decoder = decoders.get(vertex) ?? new StringDecoder('utf8');
        decoders.set(vertex, decoder);
        const text = (printed.get(vertex) ?? '') + decoder.write(data).replaceAll('\r', '\n');
        printed.set(vertex, lastOf(text));
      }
      return lineOf(changed, logs, vertexes, printed);
    },
    failure: (said) => failureOf(key, said, failing([...vertexes.values()]), printed),
  };
}

/** The end of a text, from the beginning of a line: half of a secret is not known as one. */
function lastOf(text: string): string {
  if (text.length <= KEPT) return text;
  const kept = text.slice(-KEPT);
  return kept.slice(kept.indexOf('\n') + 1);
}

/** What was printed but for a line that is not at its end yet. */
function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

function lineOf(
  changed: BuildStatus['vertexes'],
  logs: BuildStatus['logs'],
  vertexes: ReadonlyMap<string, BuildVertex>,
  printed: ReadonlyMap<string, string>,
): string | undefined {
  const running = changed.findLast((vertex) => vertex.started && !vertex.completed);
  if (running !== undefined) return escapeControls(running.name);
  const talking = logs.at(-1)?.vertex;
  if (talking === undefined) return undefined;
  const [line = ''] = lastLines(wholeLines(printed.get(talking) ?? ''), 1);
  return escapeControls(`${vertexes.get(talking)?.name ?? ''}: ${line}`);
}

/** Steps that only stopped because another failed say so in their error. */
function failing(vertexes: readonly BuildVertex[]): BuildVertex | undefined {
  const failed = vertexes.filter(({ error }) => error !== '');
  return failed.find(({ error }) => !/context canceled/.test(error)) ?? failed.at(0);
}

function failureOf(
  key: string,
  said: string,
  vertex: BuildVertex | undefined,
  printed: ReadonlyMap<string, string>,
): ShipError {
  if (vertex === undefined) {
    return new ShipError('build', `${key}: the build failed: ${escapeControls(said.trim())}`, {
      hint: 'correct the Dockerfile or its inputs and run ciliumship build again',
    });
  }
  const lines = lastLines(printed.get(vertex.digest) ?? '', SHOWN_LINES);
  return new ShipError(
    'build',
    `${key}: step ${escapeControls(vertex.name)} failed: ${escapeControls(vertex.error)}`,
    {
      details: lines.map(escapeControls),
      hint: 'correct the step that failed and run ciliumship build again',
    },
  );
}
