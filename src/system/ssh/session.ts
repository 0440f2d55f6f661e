import type { Client } from 'ssh2';
import pLimit from 'p-limit';
import { ShipError } from '../../core/errors.ts';
import type { Argv, Finished, Remote, RemoteFiles, RunOptions } from '../../core/remote.ts';
import { lastLines } from '../../core/text.ts';
import { connect, type SshOptions } from './connect.ts';
import { watchConnection, type Connection } from './connection.ts';
import { elevated, execute } from './exec.ts';
import { filesOn } from './sftp.ts';
import { openTunnel, type Tunnel } from './tunnel.ts';

/** sshd allows ten channels by default, SFTP and tunnels among them. */
const COMMANDS_AT_ONCE = 4;
const ANY_CODE = Array.from({ length: 255 }, (_, index) => index + 1);
const WHO: Argv = ['id', '-u'];
/** Milliseconds for the other side to say goodbye. */
const FAREWELL = 2_000;

/** An open connection to a node. Use it with `await using`. */
export interface Session extends Remote, RemoteFiles, AsyncDisposable {
  /**
   * Connects anew after the connection was lost; everything goes over the new one from then on.
   *
   * @throws ShipError as `openSession`
   */
  reconnect(signal: AbortSignal): Promise<void>;
  /** As `reconnect` when the connection was lost; does nothing while it lives. */
  restore(signal: AbortSignal): Promise<void>;
  /**
   * Forwards a port of 127.0.0.1 here to `host:port` as the node sees it, over the connection that
   * there is when somebody connects.
   */
  tunnel(host: string, port: number): Promise<Tunnel>;
}

/**
 * Connects to a node and finds out who we are there.
 *
 * @param node its name in messages
 * @throws ShipError `network`, `identity`, `config`
 */
export async function openSession(
  node: string,
  destination: string,
  options: SshOptions,
  signal: AbortSignal,
): Promise<Session> {
  const open = (until: AbortSignal): Promise<Opened> => openOnce(node, destination, options, until);
  let now = await open(signal);
  const reconnect = async (until: AbortSignal): Promise<void> => {
    await now[Symbol.asyncDispose]();
    now = await open(until);
  };
  // Two that wait for one node at a time must not open two connections.
  let restoring: Promise<void> | undefined;
  return {
    node,
    run: (argv, given) => now.run(argv, given),
    write: (path, source, given) => now.write(path, source, given),
    rename: (from, to) => now.rename(from, to),
    remove: (path) => now.remove(path),
    size: (path) => now.size(path),
    tunnel: (host, port) => openTunnel(() => now.connection.client, host, port),
    reconnect,
    restore: async (until) => {
      if (!now.connection.closed) return;
      restoring ??= reconnect(until).finally(() => (restoring = undefined));
      await restoring;
    },
    [Symbol.asyncDispose]: () => now[Symbol.asyncDispose](),
  };
}

/** One connection, for as long as it lasts. */
interface Opened extends Remote, RemoteFiles, AsyncDisposable {
  readonly connection: Connection;
}

async function openOnce(
  node: string,
  destination: string,
  options: SshOptions,
  signal: AbortSignal,
): Promise<Opened> {
  const connectUntil = (until: AbortSignal): Promise<Client> =>
    connect(node, destination, options, until);
  const client = await connectUntil(signal);
  const connection = watchConnection(client, node);
  try {
    options.onCommand?.(WHO);
    const asked = await execute(connection, true, WHO, { signal, accept: ANY_CODE });
    if (!/^\d+$/.test(asked.stdout.trim())) throw noShell(node, destination, asked);
    return openedOn(connection, asked.stdout.trim() === '0', connectUntil, options.onCommand);
  } catch (error) {
    client.destroy();
    throw error;
  }
}

/** A login shell such as nologin ends every command; one that greets would spoil every answer. */
function noShell(node: string, destination: string, asked: Finished): ShipError {
  const [what, hint] =
    asked.code === 0
      ? [
          'prints text of its own before every answer',
          'let its ~/.bashrc be silent without a terminal',
        ]
      : [
          'may log in, but not run commands',
          `log in as another user: set ssh of ${node} in the config, or User in your ssh config`,
        ];
  const details = lastLines(asked.stdout || asked.stderr, 5);
  return new ShipError('identity', `${node}: ${destination} ${what}`, { details, hint });
}

function openedOn(
  connection: Connection,
  root: boolean,
  connectUntil: (signal: AbortSignal) => Promise<Client>,
  onCommand: SshOptions['onCommand'],
): Opened {
  const { client, node } = connection;
  const limit = pLimit(COMMANDS_AT_ONCE);
  const open = new AbortController();
  const connectAgain = async (): Promise<Connection> => {
    const another = await connectUntil(open.signal);
    if (open.signal.aborted) another.destroy();
    open.signal.addEventListener('abort', () => another.destroy());
    return watchConnection(another, node);
  };
  return {
    node,
    connection,
    run: (argv: Argv, options?: RunOptions): Promise<Finished> =>
      limit(() => {
        onCommand?.(options?.sudo === true ? elevated(argv, root) : argv);
        return execute(connection, root, argv, options);
      }),
    ...filesOn(connection, connectAgain),
    [Symbol.asyncDispose]: () => {
      open.abort();
      return close(connection, client);
    },
  };
}

async function close({ closed, lost }: Connection, client: Client): Promise<void> {
  if (closed) return;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, FAREWELL);
  client.end();
  await Promise.race([lost.catch(() => undefined), late]);
  clearTimeout(timer);
  client.destroy();
}
