import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { settingsOf, STATE } from '../../lab/settings.ts';

/** A lab of machines without K3s, beside the one that other tests use. */
export interface BareLab {
  /** Environment in which the command line works on it; it has no kubeconfig. */
  readonly env: NodeJS.ProcessEnv;
  up(): Promise<void>;
  down(): Promise<void>;
  /** Runs a command on a node as root, past SSH. */
  onNode(name: string, ...argv: readonly string[]): Promise<string>;
}

const LAB = join(import.meta.dirname, '../../lab/cli.ts');

/** @param name of the lab; the name of the lab of the run follows it, so that runs stay apart */
export function bareLab(name: string): BareLab {
  const own = process.env['CILIUMSHIP_LAB'];
  const full = own ? `${name}-${own}` : name;
  const { prefix, folder } = settingsOf(full);
  const state = join(dirname(STATE), folder);
  const lab = async (...args: readonly string[]): Promise<void> => {
    await execa('node', [LAB, ...args], { env: { CILIUMSHIP_LAB: full } });
  };
  return {
    env: {
      CILIUMSHIP_CONFIG: join(state, 'ciliumship.yaml'),
      CILIUMSHIP_SSH_CONFIG: join(state, 'ssh_config'),
      KUBECONFIG: undefined,
      PATH: `${join(state, 'bin')}:${process.env['PATH']}`,
    },
    up: () => lab('up', '--bare'),
    down: () => lab('down'),
    onNode: async (node, ...argv) => {
      const { stdout } = await execa('docker', ['exec', `${prefix}-${node}`, ...argv]);
      return stdout;
    },
  };
}
