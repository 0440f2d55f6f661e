import { exitCode, type ShipError } from '../core/errors.ts';
import { escapeControls } from '../core/text.ts';
import type { ReceiptError } from './receipt/schema.ts';

/**
 * The last lines of a run that failed: what, where, evidence, what to do next, the exit code and
 * the log.
 *
 * @param logFile path of the full log, printed so that it can be sent to a colleague
 */
export function errorText(error: ShipError, logFile: string | undefined): string {
  const lines = [
    error.message,
    ...error.details.map((line) => `  ${line}`),
    ...[...error.failures].flatMap(([id, failure]) => nested(id, failure)),
    ...hintLines(error),
    ...(error.kind === 'bug' ? bugLines(error) : []),
    [`exit ${exitCode(error.kind)}`, ...(logFile === undefined ? [] : [`log ${logFile}`])].join(
      ' · ',
    ),
  ];
  return lines.map(escapeControls).join('\n');
}

/** The same for machines. */
export function errorData({ kind, message, hint, details }: ShipError): ReceiptError {
  return { kind, message, ...(hint === undefined ? {} : { hint }), details };
}

function nested(id: string, failure: ShipError): readonly string[] {
  // A message that begins with its node does not need it twice.
  const named = failure.message.startsWith(`${id}:`) ? '' : `${id}: `;
  return [
    `  ${named}${failure.message}`,
    ...failure.details.map((line) => `    ${line}`),
    ...(failure.hint === undefined ? [] : [`    next: ${failure.hint}`]),
  ];
}

/** With several failures each has printed its own. */
function hintLines(error: ShipError): readonly string[] {
  return error.hint === undefined || error.failures.size > 0 ? [] : [`  next: ${error.hint}`];
}

function bugLines(error: ShipError): readonly string[] {
  const stack = error.cause instanceof Error ? (error.cause.stack ?? '') : (error.stack ?? '');
  return ['this is a bug in ciliumship; please report it with the log', ...stack.split('\n')];
}
