import { Argument } from 'commander';
import { findConfig, loadConfig } from '../config/load.ts';
import { ShipError } from '../core/errors.ts';
import { examine } from '../doctor/examine.ts';
import { problemOf, problemsFor } from '../doctor/find.ts';
import { problems } from '../doctor/index.ts';
import type { BareCommandSpec, BareContext, Context } from './command.ts';
import { option } from './flags.ts';
import { findingsText, requireNone } from './shared/findings.ts';
import { connectFleet } from './shared/fleet.ts';
import { mendAll } from './shared/mend.ts';
import { selectNodes } from './shared/nodes.ts';
import { problemData, problemText } from './shared/problem-text.ts';
import { requireSeen, viewFleet } from './shared/view.ts';

interface DoctorFlags {
  readonly match?: string;
  readonly fix?: boolean;
  readonly confirm?: readonly string[];
}

export const doctor: BareCommandSpec<DoctorFlags> = {
  name: 'doctor',
  summary: 'look for known problems on nodes and cluster, each with its proof and its fix',
  description:
    'Looks on every node, in the cluster and in your values for each known problem (ciliumship explain lists them) and shows what was found with the fact that this rests on, and the next command. What nobody could say is unknown, never ok. Changes nothing without --fix, which mends the problems that are named, one place after the other: it looks again just before, acts only where it is safe (never on the interface of our own SSH session, nor under an agent that runs), and is content when the problem is gone. What takes something away needs --confirm NODE too. With --match it finds the problem that a text of an error belongs to, without a config and without any node. Exit 3 with findings, else the class of what could not be looked at.',
  examples: [
    ['ciliumship doctor', 'look for everything'],
    ['ciliumship doctor E1 N4 --nodes worker', 'two problems on one node'],
    ['ciliumship doctor --fix E1 --nodes worker', 'mend a problem on one node'],
    [`ciliumship doctor --match "Can't replace active BPF XDP link"`, 'which problem is this?'],
  ],
  args: [new Argument('[ids...]', 'problems to look for (default: all)')],
  options: [
    option('--fix', 'mend the problems that are named'),
    option('--confirm <names...>', 'nodes where a fix may take something away'),
    option('--match <text>', 'find the problem that a text of an error belongs to'),
  ],
  runBare: async (context) => {
    if (context.flags.match !== undefined) return showMatches(context, context.flags.match);
    const config = await loadConfig(await findConfig(context.flags.config, process.cwd()));
    await lookFor({ ...context, config });
  },
};

function showMatches({ output }: BareContext, text: string): void {
  const matches = problemsFor(text);
  if (matches.length === 0) {
    throw new ShipError('usage', `no known problem shows itself by: ${text}`, {
      hint: 'see all of them: ciliumship explain',
    });
  }
  output.result(matches.map(problemText).join('\n\n'), matches.map(problemData));
}

async function lookFor(context: Context<DoctorFlags>): Promise<void> {
  const { args, config, flags, output } = context;
  requireNamed(args, flags);
  const wanted = args.length === 0 ? problems : args.map(problemOf);
  await using fleet = await connectFleet(context, selectNodes(config.nodes, flags.nodes));
  const sight = await viewFleet(context, fleet);
  const findings = examine(sight.view, wanted);
  if (flags.fix === true) await mendAll(context, fleet, findings, flags.confirm ?? []);
  else {
    output.result(findingsText(findings, args.length > 0 || flags.verbose === true), findings);
    requireNone(findings);
  }
  requireSeen(sight, findings);
}

/**
 * Nobody mends everything at once.
 *
 * @throws ShipError `usage` for --fix without an id, or --confirm without --fix
 */
function requireNamed(ids: readonly string[], { fix, confirm }: DoctorFlags): void {
  if (fix === true && ids.length === 0) {
    throw new ShipError('usage', '--fix needs the ids of what to mend', {
      hint: 'see what there is: ciliumship doctor; then for example: ciliumship doctor --fix E1',
    });
  }
  if (fix !== true && confirm !== undefined) {
    throw new ShipError('usage', '--confirm is for --fix', {
      hint: `ciliumship doctor --fix ${ids.join(' ') || 'E2'} --confirm ${confirm.join(' ')}`,
    });
  }
}
