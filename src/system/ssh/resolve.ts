import { homedir, hostname, userInfo } from 'node:os';
import { ShipError } from '../../core/errors.ts';
import type { Argv, Finished } from '../../core/remote.ts';

/** What OpenSSH would do for a destination, as `ssh -G` prints it. */
export interface HostSettings {
  /** What the user wrote, without user and port. */
  readonly alias: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  /** Path of the agent's socket; undefined when no agent is to be asked. */
  readonly agent: string | undefined;
  readonly identitiesOnly: boolean;
  /** Command whose standard input and output are the connection. */
  readonly proxyCommand: string | undefined;
  /** `[user@]host[:port]`, comma-separated. */
  readonly proxyJump: string | undefined;
  readonly knownHostsFiles: readonly string[];
  /** Name under which known_hosts lists the host. */
  readonly hostKeyAlias: string | undefined;
  /** `RevokedHostKeys`: a list of keys that no host may have. */
  readonly revokedHostKeys: string | undefined;
  /** Seconds. */
  readonly connectTimeout: number | undefined;
}

export type RunLocal = (
  argv: Argv,
  options: {
    readonly accept: readonly number[];
    readonly timeout?: number;
  },
) => Promise<Finished>;

/** Milliseconds. */
const ANSWER_WITHIN = 20_000;
/** What `RunLocal` gives for a program that did not end by itself. */
const NO_END = -1;

const DESTINATION =
  /^(?:([A-Za-z0-9_][A-Za-z0-9_.-]*)@)?(\[[0-9a-fA-F:][0-9a-fA-F:.]*\]|[A-Za-z0-9][A-Za-z0-9_.-]*)(?::(\d{1,5}))?$/;

/**
 * The arguments that name `destination` to ssh. Nothing that could be an option or reach a shell
 * passes (D5).
 *
 * @throws ShipError `config`
 */
export function destinationArguments(destination: string): readonly string[] {
  const match = DESTINATION.exec(destination);
  if (match === null) {
    throw new ShipError('config', `"${destination}" is not an ssh destination`, {
      hint: 'write an ssh alias, HOST, USER@HOST or USER@HOST:PORT',
    });
  }
  const [, user, host = '', port] = match;
  const name = host.replace(/^\[|\]$/g, '');
  return [
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', port]),
    '--',
    name,
  ];
}

/**
 * Asks OpenSSH for the settings of a destination, so that Include, Match, tokens and aliases mean
 * what they mean to ssh (D4).
 *
 * @param sshConfig file to read instead of the user's own; only ever from a flag or the environment
 * @throws ShipError `config` when ssh refuses its configuration
 */
export async function resolveHost(
  destination: string,
  sshConfig: string | undefined,
  runLocal: RunLocal,
): Promise<HostSettings> {
  const config = sshConfig === undefined ? [] : ['-F', sshConfig];
  const argv: Argv = ['ssh', '-G', ...config, ...destinationArguments(destination)];
  const asked = await runLocal(argv, { accept: [255, NO_END], timeout: ANSWER_WITHIN });
  const { code, stdout, stderr } = asked;
  if (code === 0) return parseSettings(stdout, argv.at(-1) ?? '');
  if (code === NO_END) throw stuck(destination, argv);
  throw new ShipError('config', `ssh refuses its configuration for ${destination}`, {
    details: [stderr.trim()],
    hint: `look at: ${argv.join(' ')}`,
  });
}

/** A command in `Match exec` may wait for ever. */
function stuck(destination: string, argv: Argv): ShipError {
  return new ShipError(
    'config',
    `ssh does not finish to read its configuration for ${destination}`,
    {
      hint: `look at Match exec in your ssh_config: ${argv.join(' ')}`,
    },
  );
}

/**
 * Reads the `key value` lines of `ssh -G`.
 *
 * @param alias what ssh was asked for, which tokens may name
 */
export function parseSettings(text: string, alias: string): HostSettings {
  const pairs = text.split('\n').map((line) => splitOnce(line.trim()));
  const all = (key: string): readonly string[] =>
    pairs.filter(([name]) => name === key).map(([, value]) => value);
  const one = (key: string): string | undefined =>
    all(key).find((value) => value !== 'none' && value !== '');
  const files = (key: string): readonly string[] =>
    (one(key) ?? '')
      .split(' ')
      .filter((file) => file !== '')
      .map(expandHome);
  const named = {
    alias,
    hostname: one('hostname') ?? '',
    port: Number(one('port') ?? 22),
    user: one('user') ?? '',
    hostKeyAlias: one('hostkeyalias'),
  };
  return {
    ...named,
    // ssh prints these as they were written, with their tokens.
    identityFiles: all('identityfile').map((file) => expandTokens(expandHome(file), named)),
    agent: agentSocket(all('identityagent')[0]),
    identitiesOnly: one('identitiesonly') === 'yes',
    proxyCommand: one('proxycommand'),
    proxyJump: one('proxyjump'),
    knownHostsFiles: [...files('userknownhostsfile'), ...files('globalknownhostsfile')],
    revokedHostKeys: optional(one('revokedhostkeys'), expandHome),
    connectTimeout: Number(one('connecttimeout')) || undefined,
  };
}

function splitOnce(line: string): readonly [string, string] {
  const space = line.indexOf(' ');
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
}

function optional<T>(value: string | undefined, change: (value: string) => T): T | undefined {
  return value === undefined ? undefined : change(value);
}

/** ssh takes the home of the user database, whatever HOME says. */
function expandHome(path: string): string {
  return path.startsWith('~/') ? `${userInfo().homedir || homedir()}${path.slice(1)}` : path;
}

type Named = Pick<HostSettings, 'alias' | 'hostname' | 'port' | 'user' | 'hostKeyAlias'>;

/** Replaces the tokens of ssh_config(5) that make sense before a connection; others stay. */
export function expandTokens(text: string, named: Named): string {
  const { username, uid, homedir: home } = userInfo();
  const tokens: Readonly<Record<string, string>> = {
    '%': '%',
    d: home,
    h: named.hostname,
    i: String(uid),
    k: named.hostKeyAlias ?? named.alias,
    L: hostname().replace(/\..*$/, ''),
    l: hostname(),
    n: named.alias,
    p: String(named.port),
    r: named.user,
    u: username,
  };
  return text.replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole);
}

function agentSocket(setting: string | undefined): string | undefined {
  if (setting === 'none') return undefined;
  if (setting === undefined || setting === 'SSH_AUTH_SOCK') return process.env['SSH_AUTH_SOCK'];
  return expandHome(setting.startsWith('$') ? (process.env[setting.slice(1)] ?? '') : setting);
}
