import { textTable } from '../output/table.ts';
import type { Tool } from '../system/tools.ts';
import type { BareCommandSpec } from './command.ts';
import { readVersions } from './shared/versions.ts';

export const version: BareCommandSpec = {
  name: 'version',
  summary: 'print the versions of ciliumship and of the programs that it uses',
  description:
    'Prints the versions of ciliumship, Node, Docker and every other program of this machine that it makes use of. For one that is missing it says what does not work without it and how to get it, and goes on. Needs neither a config nor a node.',
  examples: [
    ['ciliumship version', 'what is there, and what lacks'],
    ['ciliumship version -o json', 'for a bug report'],
  ],
  runBare: async ({ output, signal }) => {
    const all = await readVersions(signal);
    const rows = all.map((tool) => [tool.name, tool.version ?? 'missing', remedy(tool) ?? '']);
    output.result(textTable(['program', 'version', 'lacks without it'], rows), all.map(toData));
  },
};

/** Undefined for what is there. */
function remedy({ version: found, lacks }: Tool): string | undefined {
  return found === undefined ? lacks : undefined;
}

function toData(tool: Tool) {
  return { name: tool.name, version: tool.version ?? null, remedy: remedy(tool) ?? null };
}
