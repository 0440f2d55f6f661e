import { appendFileSync, openSync, writeSync } from 'node:fs';
import { ShipError, type ErrorKind } from '../core/errors.ts';
import type { Progress } from '../core/step.ts';
import type { Facts } from './receipt/schema.ts';

/** Version of the event format; the first line of every stream names it. */
export const EVENT_VERSION = 1;

export type StepState = 'started' | 'done' | 'already-done' | 'planned' | 'failed';

/** What happens, for machines (`--json-events`), the log file and the plain output. */
export type Event =
  | { readonly event: 'run'; readonly version: number; readonly command: string }
  | { readonly event: 'stage'; readonly stage: string; readonly state: 'started' }
  | {
      readonly event: 'stage';
      readonly stage: string;
      readonly state: 'done' | 'failed';
      readonly seconds: number;
    }
  | {
      readonly event: 'step';
      readonly stage: string;
      readonly step: string;
      readonly title: string;
      readonly state: StepState;
      readonly seconds?: number;
      readonly text?: string;
      readonly plan?: readonly string[];
      readonly error?: { readonly kind: ErrorKind; readonly message: string };
    }
  | {
      readonly event: 'progress';
      readonly stage: string;
      readonly step: string;
      readonly progress: Progress;
    }
  | { readonly event: 'command'; readonly node: string; readonly command: string }
  | { readonly event: 'note'; readonly text: string }
  | { readonly event: 'facts'; readonly facts: Partial<Facts> }
  | {
      readonly event: 'error';
      readonly kind: ErrorKind;
      readonly message: string;
      readonly details: readonly string[];
      readonly hint?: string;
      readonly text: string;
    }
  | { readonly event: 'end'; readonly exitCode: number; readonly seconds: number };

export type Sink = (event: Event) => void;

/** Writes each event as one JSON line to a file, or to standard output for `-`. */
export function jsonSink(target: string): Sink {
  const descriptor = target === '-' ? 1 : open(target);
  return (event) => {
    const line = `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`;
    harmless(() => writeSync(descriptor, line));
  };
}

/** @throws ShipError `usage` when the file cannot be written */
function open(file: string): number {
  try {
    return openSync(file, 'w', 0o600);
  } catch (cause) {
    throw new ShipError('usage', `--json-events: cannot write ${file}`, {
      cause,
      hint: 'name a file in a folder that exists',
    });
  }
}

/** A full disk or a closed pipe must not end a rollout half way. */
function harmless(write: () => void): void {
  try {
    write();
  } catch {
    // There is no better place to say it.
  }
}

/** The full log: every event but progress, with its time. */
export function logSink(file: string): Sink {
  return (event) => {
    if (event.event === 'progress') return;
    const { event: name, ...rest } = event;
    const line = `${new Date().toISOString()} ${name} ${JSON.stringify(rest)}\n`;
    harmless(() => appendFileSync(file, line, { mode: 0o600 }));
  };
}
