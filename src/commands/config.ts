import { stringify } from 'yaml';
import type { CommandSpec } from './command.ts';

export const config: CommandSpec = {
  name: 'config',
  summary: 'print the config with every default filled in',
  description:
    'Reads and checks the config file and prints what ciliumship works with: defaults filled in, paths made absolute. All problems of a file are printed at once, each with its line.',
  examples: [
    ['ciliumship config', 'the config found here or in a folder above'],
    ['ciliumship config -c lab.yaml -o json', 'another file, for a script'],
  ],
  run: async ({ config: value, output }) => {
    output.result(stringify(value).trimEnd(), value);
  },
};
