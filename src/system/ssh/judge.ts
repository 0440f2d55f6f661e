import { ShipError } from '../../core/errors.ts';
import type { Argv, Finished } from '../../core/remote.ts';
import { lastLines } from '../../core/text.ts';
import { connectionLost } from './connection.ts';

/** How a command ended. */
export interface Ended {
  /** Null when it was ended by a signal, and when nothing was heard of its end. */
  readonly code: number | null;
  /** `SIGKILL`. */
  readonly signal?: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** What ended it from our side. */
  readonly stopped?: unknown;
}

export interface Command {
  readonly node: string;
  readonly argv: Argv;
  /** It was run by sudo. */
  readonly sudo: boolean;
  /** Exit codes that are answers. */
  readonly accept: readonly number[];
}

/**
 * Says whether a command did what it was asked for.
 *
 * @throws ShipError `network` when nothing was heard of its end, `identity` when sudo refused,
 * `storage` for any other code; what ended it from our side
 */
export function judge({ node, argv, sudo, accept }: Command, ended: Ended): Finished {
  const { code, stdout, stderr } = ended;
  if (ended.stopped !== undefined) throw ended.stopped;
  if (code === null && ended.signal === undefined) throw connectionLost(node);
  if (sudo && isSudoRefusal(code, stderr)) throw sudoRefused(node, stderr);
  if (code !== null && (code === 0 || accept.includes(code))) return { code, stdout, stderr };
  const how = code === null ? `was ended by ${ended.signal}` : `ended with exit code ${code}`;
  throw failed(node, nameOf(argv), how, lastLines(stderr || stdout, 10));
}

function failed(node: string, name: string, how: string, details: readonly string[]): ShipError {
  const disk = DISK.find(([text]) => details.some((line) => line.toLowerCase().includes(text)));
  if (disk === undefined) return new ShipError('storage', `${node}: ${name} ${how}`, { details });
  const [text, hint] = disk;
  return new ShipError('storage', `${node}: ${text}: ${name} ${how}`, {
    details,
    hint: hint.replaceAll('NODE', node),
  });
}

/** A script goes by the name that it is given, for nobody wants to read all of it. */
function nameOf(argv: Argv): string {
  const isNamedScript = argv[0] === 'sh' && argv[1] === '-c' && argv[3] !== undefined;
  return isNamedScript ? `the script ${JSON.stringify(argv[3])}` : argv.slice(0, 6).join(' ');
}

/**
 * What is wrong with a disk, in the words that C and Go have for the error numbers: programs tell
 * no more. Commands run in C's locale, so the words are always these.
 */
const DISK: readonly (readonly [string, string])[] = [
  [
    'no space left on device',
    'look at df -h and df -i /var/lib/rancher/k3s (on NODE); make room: ciliumship images prune --nodes NODE, then run the same command again',
  ],
  [
    'read-only file system',
    'the kernel may have found the disk damaged: look at dmesg (on NODE), repair it, then run the same command again',
  ],
  [
    'input/output error',
    'the disk may be broken: look at dmesg (on NODE), then run the same command again',
  ],
  [
    'disk quota exceeded',
    'raise the quota of the SSH user (on NODE), then run the same command again',
  ],
];

/**
 * sudo ends with 1 and has the last word when it runs nothing; before a command that it did run it
 * may warn (`sudo: unable to resolve host`). Without sudo, env ends with 127.
 */
function isSudoRefusal(code: number | null, stderr: string): boolean {
  const [last = ''] = lastLines(stderr, 1);
  if (code === 127) return /^env: .*sudo.*no such file/i.test(last);
  if (code !== 1) return false;
  if (/^sudo: (unable to resolve host|.*command not found)/.test(last)) return false;
  return /^sudo: |^sorry, (user|a password)|is not in the sudoers file/i.test(last);
}

function sudoRefused(node: string, stderr: string): ShipError {
  const missing = /no such file/i.test(stderr);
  const what = missing ? 'sudo is not installed' : 'sudo wants a password or refuses';
  return new ShipError('identity', `${node}: ${what}`, {
    details: lastLines(stderr, 3),
    hint: missing
      ? `log in to ${node} as root, or install sudo there`
      : `on ${node}, let the user run commands without one: echo "$USER ALL=(ALL) NOPASSWD: ALL" | sudo tee /etc/sudoers.d/ciliumship`,
  });
}
