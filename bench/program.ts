import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { runBench } from './bench.ts';
import type { WhichDocker } from './docker.ts';
import { merged, type Results } from './results.ts';
import type { Row } from './row.ts';
import { runRollouts } from './rollout.ts';
import { COUNTS, runScale } from './scale/scale.ts';
import { selectOnly, type Selection } from './select.ts';

interface Options {
  readonly out?: string;
  readonly only?: Selection;
  readonly rounds: number;
  readonly docker: WhichDocker;
  readonly quick?: boolean;
}

interface ScaleOptions {
  readonly out?: string;
  readonly nodes: readonly number[];
}

/** Before anything else was measured. */
const NONE: Results = { rows: [], startMs: 0, machine: '', date: '' };

/** Enough to see that everything works, in some minutes. */
const QUICK = selectOnly('unshaped,ciliumship,procedure');

export const program = new Command('bench')
  .description('Measures ciliumship on the lab against what one would do without it.')
  .option('--out <file>', 'write the medians as JSON; rows of other links in it stay')
  .option('--only <words>', 'scenarios, tools and links, separated by commas', selectOnly)
  .option('--rounds <n>', 'how often everything is run', toCount, 3)
  .addOption(
    new Option('--docker <which>', "this machine's, or version 28 with the containerd store")
      .choices(['machine', '28'])
      .default('machine'),
  )
  .option('--quick', 'one round against the procedure, on a link that is not shaped')
  .action(async ({ out, only, rounds, docker, quick }: Options) => {
    const selection = only ?? (quick === true ? QUICK : selectOnly(undefined));
    const results = await runBench({ selection, docker, rounds: quick === true ? 1 : rounds });
    if (out === undefined) process.stdout.write(textOf(results));
    else {
      const rows = merged(rowsIn(out), results.rows);
      writeFileSync(out, textOf({ rollout: resultsIn(out)?.rollout, ...results, rows }));
    }
  });

program
  .command('scale')
  .description(
    'Ships to 1 to 100 nodes, and a layer of 2 GB, and looks at time and memory; needs no lab.',
  )
  .option('--out <file>', 'write the figures as JSON')
  .option('--nodes <counts>', 'how many nodes: 1,10,100', toCounts, COUNTS)
  .action(async ({ out, nodes }: ScaleOptions, { parent }: Command) => {
    const results = await runScale(nodes, (line) => void process.stderr.write(`${line}\n`));
    const text = `${JSON.stringify(results, undefined, 2)}\n`;
    const file = out ?? parent?.opts<Options>().out;
    if (file === undefined) process.stdout.write(text);
    else writeFileSync(file, text);
  });

program
  .command('rollout')
  .description(
    'Rolls out to the lab --rounds times, and says what ciliumship adds to Helm and to the pods; --out keeps what else is in the file.',
  )
  .action(async (_: object, command: Command) => {
    const { out: file, rounds } = command.optsWithGlobals<Options>();
    const rollout = await runRollouts(rounds, (line) => void process.stderr.write(`${line}\n`));
    if (file === undefined) process.stdout.write(`${JSON.stringify(rollout, undefined, 2)}\n`);
    else writeFileSync(file, textOf({ ...(resultsIn(file) ?? NONE), rollout }));
  });

function toCounts(text: string): readonly number[] {
  return text.split(',').map(toCount);
}

function toCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('it must be a whole number from 1');
}

function textOf(results: Results): string {
  return `${JSON.stringify(results, undefined, 2)}\n`;
}

/** Rows of an earlier run; it may have been of other links. */
function rowsIn(file: string): readonly Row[] {
  return resultsIn(file)?.rows ?? [];
}

function resultsIn(file: string): Results | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : undefined;
}
