import { quoteArgv } from '../../core/quote.ts';
import type { Action } from '../../core/action.ts';
import { wrap } from '../../output/wrap.ts';
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
  const back = undo === undefined ? [] : [wrap(`undo: ${undo}`, '      ')];
  return [`  ${quoteArgv(argv)}`, wrap(effect, '      '), ...back].join('\n');
}

/** Who does it. */
export function consentText({ consent }: Fix): string {
  if (consent === 'yours') return 'doctor does not do this by itself';
  return consent === 'safe' ? 'doctor --fix does this' : 'doctor --fix --confirm NODE does this';
}

function paragraph(text: string): string {
  return wrap(text, '  ');
}

/** A problem for scripts. */
export function problemData(problem: Problem): unknown {
  const { id, title, document, known, recognised, example } = problem;
  const patterns = problem.patterns.map(({ source }) => source);
  return { id, title, document, known, recognised, example, patterns };
}
