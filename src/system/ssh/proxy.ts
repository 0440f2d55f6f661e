import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Argv } from '../../core/remote.ts';
import { quoteArgv } from '../../core/quote.ts';
import { lastLines } from '../../core/text.ts';
import { destinationArguments, expandTokens, type HostSettings } from './resolve.ts';

/** The way to a host that is not reached directly. */
export interface Proxy {
  readonly stream: Duplex;
  /**
   * The last lines that the program of the way printed to standard error. Ask once the stream has
   * failed: its end may be seen before the words that explain it.
   */
  said(): Promise<readonly string[]>;
}

export interface ProxyOptions {
  readonly sshConfig?: string | undefined;
  readonly hostKeys: 'strict' | 'accept-new';
}

const KEPT = 4096;
/** Milliseconds for the words of a program that has ended; what it started may hold them open. */
const LAST_WORDS = 1_000;
/** Stands for the address of the next hop until its own ssh fills it in. */
const NEXT = 'next.invalid:0';

/**
 * The stream that a ProxyJump or ProxyCommand gives, or undefined for a direct connection. The
 * system's ssh makes each jump, under the same rule for unknown keys, whatever its config says (D4).
 */
export function openProxy(settings: HostSettings, options: ProxyOptions): Proxy | undefined {
  const argv = proxyArgv(settings, options);
  return argv === undefined ? undefined : streamOf(argv);
}

/** The program that reaches a host, undefined when it is reached directly. */
export function proxyArgv(settings: HostSettings, options: ProxyOptions): Argv | undefined {
  const { proxyCommand, proxyJump, hostname, port } = settings;
  if (proxyCommand !== undefined) {
    return ['/bin/sh', '-c', `exec ${expandTokens(proxyCommand, settings)}`];
  }
  if (proxyJump === undefined) return undefined;
  const target = hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  return jumpArgv(proxyJump.split(','), target, options);
}

/** The last hop reaches the target; the hops before it are its own ProxyCommand. */
function jumpArgv(hops: readonly string[], target: string, options: ProxyOptions): Argv {
  const { sshConfig, hostKeys } = options;
  const last = hops.at(-1) ?? '';
  const before = hops.slice(0, -1);
  const way = before.length === 0 ? [] : ['-o', `ProxyCommand=${commandOf(before, options)}`];
  return [
    'ssh',
    '-o',
    'BatchMode=yes',
    '-o',
    `StrictHostKeyChecking=${hostKeys === 'strict' ? 'yes' : 'accept-new'}`,
    ...(sshConfig === undefined ? [] : ['-F', sshConfig]),
    ...way,
    '-W',
    target,
    ...destinationArguments(plainHop(last)),
  ];
}

/** The ssh that runs it knows the address of the next hop; every other `%` is written twice. */
function commandOf(hops: readonly string[], options: ProxyOptions): string {
  const line = quoteArgv(jumpArgv(hops, NEXT, options)).replaceAll('%', '%%');
  return line.replace(NEXT, '[%h]:%p');
}

/** `ssh://user@host:port` is another way to write a hop. */
function plainHop(hop: string): string {
  return hop.replace(/^ssh:\/\//, '').replace(/\/$/, '');
}

function streamOf([file, ...args]: Argv): Proxy {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT);
  });
  child.on('error', (error) => stream.destroy(error));
  child.on('close', () => stream.destroy());
  stream.on('close', () => child.kill());
  const heardOut = async (): Promise<readonly string[]> => {
    await Promise.race([ended, delay(LAST_WORDS, undefined, { ref: false })]);
    return lastLines(said, 5);
  };
  return { stream, said: heardOut };
}
