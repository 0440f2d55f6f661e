import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientChannel } from 'ssh2';
import { ShipError } from '../../core/errors.ts';
import { quoteArgv } from '../../core/quote.ts';
import type { Argv, Finished, RunOptions } from '../../core/remote.ts';
import { connectionLost, stopReason, type Connection } from './connection.ts';
import { judge, type Ended } from './judge.ts';

const TIMEOUT = 60_000;
/** Bytes kept of what a command prints; a node that floods us ends its command (D28). */
const MAX_STDOUT = 4 * 1024 * 1024;
const MAX_STDERR = 1024 * 1024;
/** Milliseconds for a channel that we gave up to be closed by the other side. */
const GRACE = 2_000;

/**
 * Runs a command on an open connection. Only exit code 0 (or an accepted one) without a signal is
 * success: a lost connection ends a channel with no code at all.
 *
 * A command that is given up is asked to end (SIGTERM) where sshd passes signals on, which it does
 * not for root: it may outlive us.
 *
 * @param root whether the SSH user is root, who needs no sudo
 * @throws ShipError `network`, `identity` (sudo refuses), `storage` (any other exit code); the
 * abort reason when `options.signal` ends it; what `options.input` throws
 */
export async function execute(
  connection: Connection,
  root: boolean,
  argv: Argv,
  options: RunOptions = {},
): Promise<Finished> {
  options.signal?.throwIfAborted();
  const sudo = options.sudo === true && !root;
  const stop = stopper(options);
  const command = commandLine(argv, sudo);
  const ended = await openChannel(connection, command, stop.signal, (channel) =>
    settle(channel, connection.node, options, stop),
  );
  return judge({ node: connection.node, sudo, argv, accept: options.accept ?? [] }, ended);
}

/**
 * The remote login shell only ever sees plain words and single quotes, which all shells agree on.
 * What programs print is read by us, so they speak no language but C's.
 */
function commandLine(argv: Argv, sudo: boolean): string {
  return `exec ${quoteArgv(['env', 'LC_ALL=C', ...elevated(argv, !sudo)])}`;
}

/** A command as root runs it, or anyone else by sudo, which asks for no password. */
export function elevated(argv: Argv, root: boolean): Argv {
  return root ? argv : ['sudo', '-n', '--', ...argv];
}

/** Ends a command: by the caller, by its deadline, or because of what it does. */
interface Stopper {
  readonly signal: AbortSignal;
  because(reason: Error): void;
}

function stopper(options: RunOptions): Stopper {
  const own = new AbortController();
  const deadline = AbortSignal.timeout(options.timeout ?? TIMEOUT);
  const outer = options.signal === undefined ? [] : [options.signal];
  return {
    signal: AbortSignal.any([deadline, own.signal, ...outer]),
    because: (reason) => own.abort(reason),
  };
}

/**
 * Opens a channel and hands it over in the same tick: what a quick command says, its exit code
 * among it, may lie in the packet that opened the channel, and would be lost a moment later.
 */
async function openChannel(
  connection: Connection,
  command: string,
  signal: AbortSignal,
  use: (channel: ClientChannel) => Promise<Ended>,
): Promise<Ended> {
  const { client, node, lost } = connection;
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const giveUp = (): void => reject(stopReason(node, 'opening a channel', signal));
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    client.exec(command, (error, channel) => {
      signal.removeEventListener('abort', giveUp);
      if (error) reject(connection.closed ? connectionLost(node, error) : refused(node, error));
      else resolve(use(channel));
    });
  } catch (error) {
    reject(connectionLost(node, error));
  }
  return Promise.race([promise, lost]);
}

/** sshd opens no more channels, for one because of a low MaxSessions. */
function refused(node: string, cause: Error): ShipError {
  return new ShipError('network', `${node}: sshd refused to run a command: ${cause.message}`, {
    retryable: true,
    hint: `look at MaxSessions in sshd_config on ${node}, then run the same command again`,
    cause,
  });
}

async function settle(
  channel: ClientChannel,
  node: string,
  options: RunOptions,
  stop: Stopper,
): Promise<Ended> {
  const { signal } = stop;
  const exit: { code: number | null; signal?: string | undefined } = { code: null };
  channel.on('exit', (code: number | null, name?: string) => {
    exit.code = code;
    exit.signal = name;
  });
  const stdout = collect(channel, MAX_STDOUT, () => stop.because(flooded(node)));
  const stderr = collect(channel.stderr, MAX_STDERR);
  const closed = new Promise<void>((resolve) => channel.once('close', () => resolve()));
  void feed(channel, options.input, stop);
  await Promise.race([closed, stopped(signal)]);
  if (signal.aborted) await endChannel(channel, closed);
  return {
    ...exit,
    stdout: stdout(),
    stderr: stderr(),
    stopped: signal.aborted ? stopReason(node, 'the command', signal) : undefined,
  };
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function endChannel(channel: ClientChannel, closed: Promise<void>): Promise<void> {
  channel.signal('TERM');
  channel.destroy();
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, GRACE);
  await Promise.race([closed, late]);
  clearTimeout(timer);
}

function flooded(node: string): ShipError {
  return new ShipError('storage', `${node}: the command printed more than ${MAX_STDOUT >> 20} MiB`);
}

/**
 * The command may end before it has read everything; its exit code then says why. But when the
 * source fails the command must not take what it got for everything.
 */
async function feed(
  channel: ClientChannel,
  input: RunOptions['input'],
  stop: Stopper,
): Promise<void> {
  if (input === undefined) return void channel.end();
  if (typeof input === 'string' || input instanceof Uint8Array) return void channel.end(input);
  const source = Readable.from(reported(input, stop), { objectMode: false });
  await pipeline(source, channel).catch(() => undefined);
}

/** The same bytes; only what the source itself throws is reported, not that nobody wants more. */
async function* reported(
  input: AsyncIterable<Uint8Array>,
  stop: Stopper,
): AsyncGenerator<Uint8Array> {
  const source = input[Symbol.asyncIterator]();
  const next = (): Promise<IteratorResult<Uint8Array>> =>
    source.next().catch((error: unknown) => {
      stop.because(error as Error);
      throw error;
    });
  try {
    for (let piece = await next(); piece.done !== true; piece = await next()) yield piece.value;
  } finally {
    await source.return?.();
  }
}

/** Keeps the last `limit` bytes, because errors come last. */
function collect(stream: Readable, limit: number, onFull?: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) onFull?.();
    while (size > limit) size -= chunks.shift()?.length ?? size;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
