import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { runBench } from './bench.ts';
import { selectOnly, type Selection } from './select.ts';

interface Options {
  readonly out?: string;
  readonly only?: Selection;
  readonly rounds: number;
  readonly quick?: boolean;
}

/** Enough to see that everything works, in some minutes. */
const QUICK = selectOnly('unshaped,ciliumship,procedure');

export const program = new Command('bench')
  .description('Measures ciliumship on the lab against what one would do without it.')
  .option('--out <file>', 'write the medians as JSON')
  .option('--only <words>', 'scenarios, tools and links, separated by commas', selectOnly)
  .option('--rounds <n>', 'how often everything is run', toCount, 3)
  .option('--quick', 'one round against the procedure, on a link that is not shaped')
  .action(async ({ out, only, rounds, quick }: Options) => {
    const selection = only ?? (quick === true ? QUICK : selectOnly(undefined));
    const rows = await runBench(selection, quick === true ? 1 : rounds);
    const text = `${JSON.stringify({ rows }, undefined, 2)}\n`;
    if (out === undefined) process.stdout.write(text);
    else writeFileSync(out, text);
  });

function toCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('it must be a whole number from 1');
}
