import { Argument } from 'commander';
import { problemOf } from '../doctor/find.ts';
import { problems } from '../doctor/index.ts';
import { textTable } from '../output/table.ts';
import type { BareCommandSpec } from './command.ts';
import { problemData, problemText } from './shared/problem-text.ts';

export const explain: BareCommandSpec = {
  name: 'explain',
  summary: 'explain a known problem: what is said of it, what is known, and what to do',
  description:
    'Tells of each problem what the hand procedure says and what is known, which is often something else, how doctor recognises it, and what to do, command by command. Works without a config and without any node. Without an id it lists all of them.',
  examples: [
    ['ciliumship explain', 'every known problem'],
    ['ciliumship explain E5', 'one of them'],
  ],
  args: [new Argument('[ids...]', 'problems, such as E5')],
  runBare: async ({ args, output }) => {
    const wanted = args.map(problemOf);
    const listed = wanted.length === 0 ? problems : wanted;
    const text =
      wanted.length === 0
        ? textTable(
            ['id', 'problem'],
            problems.map(({ id, title }) => [id, title]),
          )
        : wanted.map(problemText).join('\n\n');
    output.result(text, listed.map(problemData));
  },
};
