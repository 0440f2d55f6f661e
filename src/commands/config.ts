import type { CommandSpec } from './command.ts';
import { otherFlags, settingsOf } from './shared/settings.ts';
import { sourcedYaml } from './shared/sourced-yaml.ts';

export const config: CommandSpec = {
  name: 'config',
  summary: 'print the config with every default filled in, and where each value comes from',
  description:
    'Reads and checks the config file and prints what ciliumship works with: defaults filled in, paths made absolute, flags and variables of this run laid over it, each value with the line, flag or variable that it comes from. What is printed is a config again. All problems of a file are printed at once, each with its line. With -o json the values are as the program uses them (milliseconds, bytes), with their sources beside them.',
  examples: [
    ['ciliumship config', 'the config found here or in a folder above'],
    ['ciliumship config --max-rate 20Mbit', 'as a run with this flag would have it'],
    ['ciliumship config -c lab.yaml -o json', 'another file, for a script'],
  ],
  run: async (context) => {
    const { config: value, output } = context;
    const settings = await settingsOf(context);
    const flags = otherFlags(context);
    const sources = Object.fromEntries(
      settings.map(({ path, source }) => [path.join('.'), source]),
    );
    const head = `# ${value.file}`;
    const more = flags.map(([origin, text]) => `# also given: ${origin} ${text}`);
    output.result([head, sourcedYaml(settings), ...more].join('\n'), { ...value, sources });
  },
};
