import { Argument } from 'commander';
import { SHELLS, completionScript, type Shell } from '../output/completion.ts';
import type { BareCommandSpec } from './command.ts';

export const completion: BareCommandSpec = {
  name: 'completion',
  summary: 'print the completion of a shell: bash, zsh or fish',
  description:
    'Prints a script that makes the shell complete commands, options, their values, and the names of nodes and images of the config that is found from where you are. The script asks ciliumship itself, so it never grows old.',
  examples: [
    ['source <(ciliumship completion bash)', 'for this shell; put it into ~/.bashrc for all'],
    ['ciliumship completion zsh > "${fpath[1]}/_ciliumship"', 'zsh, from the next shell on'],
    ['ciliumship completion fish > ~/.config/fish/completions/ciliumship.fish', 'fish'],
  ],
  args: [new Argument('<shell>', 'which shell').choices([...SHELLS])],
  runBare: ({ args, output }) => {
    const shell = args[0] as Shell;
    const script = completionScript(shell);
    output.result(script.trimEnd(), { shell, script });
    return Promise.resolve();
  },
};
