import type { FrozenFlag } from './lock-file.ts';
import type { Option } from 'commander';
import { option, type HooksFlag } from '../flags.ts';
import { valuesOptions, type ValuesFlags } from './values.ts';

/** Flags of the commands that roll out. */
export interface DeployFlags extends ValuesFlags, FrozenFlag, HooksFlag {
  readonly canary?: string;
  readonly gate?: string;
  /** False with `--no-rollback`. */
  readonly rollback?: boolean;
  readonly repairRelease?: boolean;
  readonly forceConflicts?: boolean;
  readonly countLost?: boolean;
  readonly strategy?: 'nodes' | 'chart';
}

export const repairOption = option(
  '--repair-release',
  'free a Helm release that a killed Helm left pending',
);

export const canaryOption = option(
  '--canary <node>',
  'node that is replaced first (default: deploy.canary, or an agent)',
);

/** How a rollout is judged and undone. */
export const rolloutOptions: readonly Option[] = [
  ...valuesOptions,
  canaryOption,
  option(
    '--gate <command>',
    'local command that must succeed after each node, CILIUMSHIP_NODE being its name',
  ),
  option(
    '--strategy <choice>',
    'who orders the agents: nodes, one after the other and each judged first; chart, the chart’s own updateStrategy, judged at the end (default: nodes)',
  ).choices(['nodes', 'chart']),
  option(
    '--count-lost',
    'let pods of each node ping those of the others meanwhile, and count what is lost',
  ),
  option('--no-rollback', 'leave a failed node as it is, to look at it'),
  repairOption,
  option(
    '--force-conflicts',
    'with Helm 4, take back fields of the chart that somebody else changed, by hand or by a program',
  ),
];
