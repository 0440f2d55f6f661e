import { createInterface } from 'node:readline/promises';
import { ShipError } from '../core/errors.ts';

/** Asks a person; answers are lines of standard input, questions go to standard error. */
export interface Asker extends Disposable {
  /**
   * The answer, or `proposed` for an empty line.
   *
   * @throws ShipError `interrupted` when the input ends; the reason of the signal
   */
  ask(question: string, proposed?: string): Promise<string>;
  /** Asks again as long as an answer is refused as `usage` or `config`, saying why. */
  until<T>(answer: () => Promise<T>): Promise<T>;
}

/** True when there is a person to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/**
 * @param signal ends every question
 */
export function openAsker(signal: AbortSignal): Asker {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // readline takes Ctrl-C for itself; it is the program's.
  lines.on('SIGINT', () => process.emit('SIGINT'));
  // By Ctrl-D: a question that nobody will answer would be waited for.
  const closed = new Promise<never>((_, reject) => {
    lines.once('close', () => reject(new ShipError('interrupted', 'nothing was answered')));
  });
  closed.catch(() => undefined);
  return {
    ask: async (question, proposed) => {
      const shown = proposed === undefined ? '' : ` [${proposed}]`;
      const answered = lines.question(`${question}${shown}: `, { signal });
      const answer = (await Promise.race([answered, closed])).trim();
      return answer === '' ? (proposed ?? '') : answer;
    },
    until: async (answer) => {
      for (;;) {
        try {
          return await answer();
        } catch (error) {
          if (!(error instanceof ShipError) || !['usage', 'config'].includes(error.kind))
            throw error;
          process.stderr.write(`${error.message}\n`);
        }
      }
    },
    [Symbol.dispose]: () => lines.close(),
  };
}
