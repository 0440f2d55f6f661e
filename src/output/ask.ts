import { createInterface } from 'node:readline/promises';
import { ShipError } from '../core/errors.ts';

/** Whether somebody is there who can answer. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/**
 * Asks a question on standard error and waits for a line.
 *
 * @throws the reason of the signal
 */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Closed by Ctrl-D, or by a Ctrl-C that readline keeps from the process.
  const closed = new Promise<never>((_, reject) => {
    lines.once('close', () => reject(new ShipError('interrupted', 'nothing was answered')));
  });
  closed.catch(() => undefined);
  try {
    return await Promise.race([lines.question(question, { signal }), closed]);
  } finally {
    lines.close();
  }
}
