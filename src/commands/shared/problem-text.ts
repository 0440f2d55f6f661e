import { quoteArgv } from '../../core/quote.ts';
import type { Action } from '../../core/action.ts';
import type { Fix, Problem } from '../../doctor/problem.ts';

/** A problem for people: both accounts, how it is recognised, and what to do. */
export function problemText(problem: Problem): string {
  const { id, title, document, known, recognised, example } = problem;
  return [
    `${id}  ${title}`,
    ...(document === undefined ? [] : ['', 'what the hand procedure says', paragraph(document)]),
    '',
    'what is known',
    paragraph(known),
    '',
    'how doctor recognises it',
    paragraph(`${recognised}.`),
    '',
    `what to do, for example (${consentText(example)})`,
    ...example.actions.map(actionText),
    '',
    `next: ciliumship doctor ${id}`,
  ].join('\n');
}

/** A command with what it changes below it, and the way back where there is one. */
export function actionText({ argv, effect, undo }: Action): string {
  const back = undo === undefined ? [] : [`      undo: ${undo}`];
  return [`  ${quoteArgv(argv)}`, `      ${effect}`, ...back].join('\n');
}

/** Who does it. */
export function consentText({ consent }: Fix): string {
  if (consent === 'yours') return 'doctor does not do this by itself';
  return consent === 'safe' ? 'doctor --fix does this' : 'doctor --fix --confirm NODE does this';
}

const WIDTH = 88;

function paragraph(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line) => `  ${line}`).join('\n');
}

/** A problem for scripts. */
export function problemData(problem: Problem): unknown {
  const { id, title, document, known, recognised, example } = problem;
  const patterns = problem.patterns.map(({ source }) => source);
  return { id, title, document, known, recognised, example, patterns };
}
