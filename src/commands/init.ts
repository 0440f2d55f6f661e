import { dirname, join } from 'node:path';
import { describeTree } from '../build/tree.ts';
import { parseConfig } from '../config/load.ts';
import { ShipError } from '../core/errors.ts';
import { configText } from '../init/config-text.ts';
import { propose } from '../init/propose.ts';
import { canAsk, openAsker, type Asker } from '../system/ask.ts';
import type { BareCommandSpec, BareContext } from './command.ts';
import { option } from './flags.ts';
import { fitChart, lackingImages, schemaBeside } from './shared/init-chart.ts';
import {
  fileOf,
  filesText,
  freshConfig,
  ignoreFile,
  valuesPath,
  writeFiles,
} from './shared/init-files.ts';
import { chooseNodes, readMachines } from './shared/init-nodes.ts';
import { initData, nextCommands, proposalText } from './shared/init-report.ts';
import { chooseTree, sourceText } from './shared/init-tree.ts';

interface InitFlags {
  readonly node?: readonly string[];
  readonly source?: string;
  readonly tag: string;
  readonly podCidr?: string;
  readonly hostKeys: 'strict' | 'accept-new';
  readonly yes?: boolean;
}

export const init: BareCommandSpec<InitFlags> = {
  name: 'init',
  summary: 'make a config and values from what the nodes say of themselves',
  description:
    'Asks which nodes and which source tree, and finds out the rest: reaches every node over SSH, as your ssh configuration and known_hosts have it, looks at roles, interfaces, addresses and drivers, chooses the data network, renders the chart to see which images it runs, and writes ciliumship.yaml, cilium-values.yaml and a line of .gitignore, with the reason of each choice beside it. Changes nothing on any node, and overwrites no file. Without a terminal, or with --yes, it asks nothing.',
  examples: [
    ['ciliumship init', 'ask for nodes and tree, show what was found, then write'],
    [
      'ciliumship init --yes --node master --node worker=agent@admin@worker.example --source ../cilium',
      'for a script',
    ],
    ['ciliumship init --node master --node worker --dry-run', 'print the files, write none'],
  ],
  options: [
    option(
      '--node <node>',
      'SSH, NAME=SSH or NAME=ROLE@SSH; once for each, the server first',
    ).argParser(collect),
    option('--source <folder>', 'patched Cilium tree (default: one that lies near)'),
    option('--tag <tag>', 'tag of the images that are built').default('dev'),
    option('--pod-cidr <cidr>', 'network of the pods (default: one that no node uses)'),
    option('--host-keys <how>', 'accept-new trusts the key of an unknown host once')
      .choices(['strict', 'accept-new'])
      .default('strict'),
    option('-y, --yes', 'take what is proposed, ask nothing'),
  ],
  runBare: async (context) => {
    const { flags, output, signal } = context;
    const file = freshConfig(flags.config, process.cwd());
    const folder = dirname(file);
    using asker = flags.yes === true || !canAsk() ? undefined : openAsker(signal);
    const tree = await chooseTree(flags.source, folder, asker);
    const named = await chooseNodes(flags.node ?? [], flags.sshConfig, asker);
    const config = { ssh: { hostKeys: flags.hostKeys } };
    const proposal = propose(await readMachines({ ...context, config }, named), flags.podCidr);
    const chart = join(tree.path, 'install/kubernetes/cilium');
    const fitted = await fitChart(context, chart, proposal, flags.tag);
    const text = configText({
      proposal,
      source: sourceText(tree.path, folder),
      tree: `Cilium ${describeTree(tree)}`,
      tag: flags.tag,
      values: 'cilium-values.yaml',
      hostKeys: flags.hostKeys,
      extraImages: fitted.extraImages,
      schema: schemaBeside(file),
    });
    parseConfig(text, file);
    const files = [
      await fileOf(file, text),
      await fileOf(valuesPath(file), fitted.values),
      await ignoreFile(file),
    ];
    const lacking = await lackingImages(context, fitted.extraImages);
    const report = { proposal, files, tree, next: nextCommands(lacking, file) };
    if (flags.dryRun === true) {
      const texts = files.map((each) => `# ${each.path} (${each.state})\n${each.text}`);
      return output.result(texts.join('\n'), initData(report));
    }
    if (asker !== undefined) await confirm(asker, context, proposalText(report));
    await writeFiles(files);
    const lines = [proposalText(report), filesText(files, process.cwd())];
    const next = report.next.map((command) => `  next: ${command}`);
    output.result([...lines, ...next].join('\n'), initData(report));
  },
};

/** The values of an option that is given more than once; a variable of the environment has all. */
function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(/[\s,]+/).filter((word) => word !== '')];
}

/** @throws ShipError `usage` when the answer is no */
async function confirm(asker: Asker, { output }: BareContext, shown: string): Promise<void> {
  output.note(shown);
  const answer = await asker.ask('Write these files? yes or no', 'yes');
  if (/^y(es)?$/i.test(answer)) return;
  throw new ShipError('usage', 'nothing was written', {
    hint: 'name nodes and tree yourself: ciliumship init --node … --source …',
  });
}
