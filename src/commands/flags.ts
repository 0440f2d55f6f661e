import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../config/duration.ts';
import { parseRate } from '../config/rate.ts';
import type { ResultFormat } from '../output/output.ts';
import type { ReportFormat } from '../output/report.ts';
import type { AnyCommand } from './command.ts';

/** The flags that every command takes, as commander parsed them. */
export interface CommonFlags {
  readonly config?: string;
  readonly nodes?: string;
  readonly concurrency?: number;
  readonly maxRate?: string;
  readonly dryRun?: boolean;
  readonly output: ResultFormat;
  readonly timeout?: string;
  readonly lockWait?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly sshConfig?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly printCommand?: boolean;
  readonly jsonEvents?: string;
}

/**
 * Common flags; each has an environment variable `CILIUMSHIP_…` (flag > environment > file).
 *
 * @param formats of the result that the command offers beside text, JSON and YAML
 */
export function commonOptions(formats: readonly ReportFormat[] = []): readonly Option[] {
  return [
    option('-c, --config <file>', 'config file (default: ciliumship.yaml here or above)'),
    option('--nodes <names>', 'only these nodes; names or patterns, comma-separated: a,b*'),
    option('--concurrency <n>', 'nodes that are sent to at once').argParser(parseCount),
    option('--max-rate <rate>', 'of all that is sent together: 20Mbit, 2.5MB').argParser(checkRate),
    option('--dry-run', 'look and print what would be done; change nothing'),
    option('-o, --output <format>', 'format of the result')
      .choices(['text', 'json', 'yaml', ...formats])
      .default('text'),
    option(
      '--timeout <duration>',
      'of a rollout, for each node: 90s, 5m (default: deploy.timeout)',
    ).argParser(checkDuration),
    option(
      '--lock-wait <duration>',
      'wait this long for a node that someone else ships to',
    ).argParser(checkDuration),
    option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, or the server node’s own)'),
    option('--context <name>', 'context of the kubeconfig'),
    option('-n, --namespace <name>', 'namespace of the release (default: from the config)'),
    option('--ssh-config <file>', 'ssh configuration to use instead of your own'),
    option('-q, --quiet', 'print only the result and errors'),
    option('-v, --verbose', 'print each step on its own line, with what failed underneath'),
    option('--print-command', 'print each command that is run on a node, as it is run'),
    option('--json-events <file>', 'write events as JSON lines to a file, or - for stdout'),
  ];
}

export interface HooksFlag {
  readonly hooks?: 'run' | 'skip';
}

/** Whether programs that the config names may run: it may come from someone else's branch. */
export function hookOptions(spec: AnyCommand): readonly Option[] {
  if (!('hooks' in spec)) return [];
  return [
    option('--hooks <choice>', 'run or skip the programs that the config names as hooks').choices([
      'run',
      'skip',
    ]),
  ];
}

/** An option whose environment variable is made from its long name. */
export function option(flags: string, description: string): Option {
  const made = new Option(flags, description);
  return made.env(`CILIUMSHIP_${made.name().replaceAll('-', '_').toUpperCase()}`);
}

/** What an option does, what can be said, and what counts when nothing is said. */
export function optionMeaning({ description, argChoices, defaultValue }: Option): string {
  const choices = argChoices?.join(', ') ?? '';
  const usual = typeof defaultValue === 'string' ? `default: ${defaultValue}` : '';
  const more = [choices, usual].filter((text) => text !== '').join('; ');
  return more === '' || description.includes(usual || choices)
    ? description
    : `${description} (${more})`;
}

/** Checked at once, so that a typing error is not found after half of a rollout. */
function checked(parse: (text: string) => unknown, says: string): (text: string) => string {
  return (text) => {
    try {
      parse(text);
      return text;
    } catch {
      throw new InvalidArgumentError(says);
    }
  };
}

export const checkDuration = checked(parseDuration, 'Write 90s, 5m or 1h.');
const checkRate = checked(parseRate, 'Write 20Mbit or 2.5MB.');

/** @throws InvalidArgumentError that commander reports as a usage error */
function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0 && count <= 256) return count;
  throw new InvalidArgumentError('Write a number from 1 to 256.');
}
