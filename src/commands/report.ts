import { resolve } from 'node:path';
import { Argument, InvalidArgumentError } from 'commander';
import { findConfig, loadConfig } from '../config/load.ts';
import { formatBytes } from '../output/progress.ts';
import { textTable } from '../output/table.ts';
import { writeBundle } from '../system/bundle.ts';
import type { BareCommandSpec, BareContext } from './command.ts';
import { option } from './flags.ts';
import {
  configTexts,
  logTexts,
  machineTexts,
  orReason,
  runTexts,
  type Texts,
} from './shared/report-local.ts';
import { fleetTexts } from './shared/report-nodes.ts';
import { withoutSecrets } from './shared/report-secrets.ts';

interface ReportFlags {
  readonly local?: boolean;
}

export const report: BareCommandSpec<ReportFlags> = {
  name: 'report',
  summary:
    'collect logs, versions, receipts and facts in one file, for a colleague or a bug report',
  description:
    'Writes a .tar.gz that only you may read: versions of all programs, the last logs and receipts, what failed rollouts left behind, config, values and lock, and what every node and the cluster show now, with what doctor finds. It works with a broken config and with nodes that cannot be reached too. Keys, tokens and passwords are taken out: those that ciliumship knows in every encoding, and whatever has the form of one. Names and addresses stay: they are needed to understand anything. Nothing is sent anywhere and nothing is changed; read it before you hand it on.',
  examples: [
    ['ciliumship report ciliumship-report.tar.gz', 'everything'],
    ['ciliumship report ciliumship-report.tar.gz --local', 'without asking any node'],
    ['ciliumship report ciliumship-report.tar.gz --dry-run', 'only say what would be in it'],
  ],
  args: [new Argument('<file>', 'archive to write: NAME.tar.gz or NAME.tgz').argParser(parseFile)],
  options: [option('--local', 'only of this machine: connect to no node and no cluster')],
  runBare: async (context) => {
    const { args, flags, output } = context;
    const file = resolve(args[0] ?? '');
    const texts = await withoutSecrets(context, await collect(context));
    const bundle = new Map([['README.txt', readme(texts)], ...texts]);
    const size = flags.dryRun === true ? undefined : await writeBundle(file, bundle);
    const files = [...bundle].map(([name, text]) => ({ name, size: Buffer.byteLength(text) }));
    output.result(resultText(file, size, files), { file, size: size ?? null, files });
  },
};

/** Everything, in the order of how much it says; what cannot be had says why. */
async function collect(context: BareContext<ReportFlags>): Promise<Texts> {
  const { signal } = context;
  return [
    ...(await machineTexts(context)),
    ...(await configTexts(context)),
    ...(await logTexts()),
    ...(await orReason('config/problems.txt', signal, () => ofConfig(context))),
  ];
}

async function ofConfig(context: BareContext<ReportFlags>): Promise<Texts> {
  const { flags, signal } = context;
  const config = await loadConfig(await findConfig(flags.config, process.cwd()));
  const own = await runTexts(config);
  if (flags.local === true) return own;
  const ofFleet = () => fleetTexts({ ...context, config });
  return [...own, ...(await orReason('nodes/problems.txt', signal, ofFleet))];
}

function readme(texts: Texts): string {
  return `A report of ciliumship, made ${new Date().toISOString()}.

Keys, tokens and passwords were replaced by [hidden]. Names, addresses and what programs
wrote are as they were: read it before you hand it on.

${texts.map(([name]) => name).join('\n')}
`;
}

function resultText(
  file: string,
  size: number | undefined,
  files: readonly { readonly name: string; readonly size: number }[],
): string {
  const rows = files.map(({ name, size: bytes }) => [name, formatBytes(bytes)]);
  const table = textTable(['in the report', 'size'], rows);
  if (size === undefined) return `${table}\n\nnothing was written: this was a dry run`;
  return `${table}\n\n${file}: ${formatBytes(size)}, secrets taken out\n  next: read it before you hand it on: tar -xzOf ${file} | less`;
}

/** @throws InvalidArgumentError for another ending: what is in it would not be what it says */
function parseFile(text: string): string {
  if (/[^/]\.(tar\.gz|tgz)$/.test(text)) return text;
  throw new InvalidArgumentError('Name a file that ends with .tar.gz.');
}
