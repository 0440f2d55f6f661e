import { createInterface } from 'node:readline/promises';

/** Asks a person; answers are lines of standard input, questions go to standard error. */
export interface Asker extends Disposable {
  /** The answer, or `proposed` for an empty line. */
  ask(question: string, proposed?: string): Promise<string>;
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
  return {
    ask: async (question, proposed) => {
      const shown = proposed === undefined ? '' : ` [${proposed}]`;
      const answer = (await lines.question(`${question}${shown}: `, { signal })).trim();
      return answer === '' ? (proposed ?? '') : answer;
    },
    [Symbol.dispose]: () => lines.close(),
  };
}
