import ssh2, { type AnyAuthMethod, type Client, type ConnectConfig } from 'ssh2';
import type { Argv } from '../../core/remote.ts';
import { algorithmsFor } from './algorithms.ts';
import { authMethods, type Auth } from './auth.ts';
import { connectError, type ClientError } from './connect-errors.ts';
import { lookUpHost, type KnownHost } from './known-hosts.ts';
import { openProxy, type Proxy } from './proxy.ts';
import { resolveHost, type HostSettings, type RunLocal } from './resolve.ts';
import { hostTrust, type Trust } from './trust.ts';

export interface SshOptions {
  /** Only ever from a flag or the environment, never from a project's config. */
  readonly sshConfig?: string | undefined;
  readonly hostKeys: 'strict' | 'accept-new';
  readonly runLocal: RunLocal;
  /** Milliseconds to connect and authenticate; ConnectTimeout of ssh_config when absent. */
  readonly connectTimeout?: number;
  /** Milliseconds between keepalives; three unanswered ones end the connection. */
  readonly keepalive?: number;
  /** Told of each command just before it runs, with the sudo in front of it. */
  readonly onCommand?: (argv: Argv) => void;
}

const CONNECT_TIMEOUT = 15_000;
const KEEPALIVE = 10_000;

/**
 * Opens an authenticated connection to a node. The host key is judged before anything is sent.
 *
 * @param node name for messages
 * @throws ShipError `identity` for host key and authentication, `network` for everything on the
 * way, `config`; the abort reason when `signal` ends it
 */
export async function connect(
  node: string,
  destination: string,
  options: SshOptions,
  signal: AbortSignal,
): Promise<Client> {
  const { hostKeys, runLocal } = options;
  const settings = await resolveHost(destination, options.sshConfig, runLocal);
  const known = await lookUpHost(settings, runLocal);
  const auth = await authMethods(settings);
  const revoked = settings.revokedHostKeys;
  const trust = hostTrust({ node, known, hostKeys, revoked, runLocal });
  signal.throwIfAborted();
  const proxy = openProxy(settings, options);
  return handshake({ node, settings, known, auth, trust, proxy, options }, signal);
}

interface Attempt {
  readonly node: string;
  readonly settings: HostSettings;
  readonly known: KnownHost;
  readonly auth: Auth;
  readonly trust: Trust;
  readonly proxy: Proxy | undefined;
  readonly options: SshOptions;
}

async function handshake(attempt: Attempt, signal: AbortSignal): Promise<Client> {
  const { auth, trust, proxy } = attempt;
  const client = new ssh2.Client();
  const { promise, resolve, reject } = Promise.withResolvers<Client>();
  const fail = async (error: ClientError): Promise<void> => {
    // An agent that is gone is not the end: ssh2 goes on with the next way to log in.
    if (error.level === 'agent') return auth.agentFailed(error);
    client.destroy();
    const said = (await proxy?.said()) ?? [];
    reject(trust.refused ?? connectError({ ...attempt, said }, error));
  };
  const cancel = (): void => {
    client.destroy();
    reject(signal.reason);
  };
  signal.addEventListener('abort', cancel, { once: true });
  // The one permanent listener: ssh2 may emit errors long after a connection has ended.
  client.on('error', (error) => void fail(error));
  client.once('close', () => void fail(new Error('closed the connection')));
  client.once('ready', () => {
    client.setNoDelay(true);
    resolve(client);
  });
  client.connect(configOf(attempt));
  return promise.finally(() => signal.removeEventListener('abort', cancel));
}

function configOf({ settings, known, auth, trust, proxy, options }: Attempt): ConnectConfig {
  const configured = settings.connectTimeout === undefined ? [] : [settings.connectTimeout * 1000];
  const [timeout = CONNECT_TIMEOUT] = configured;
  return {
    ...(proxy === undefined
      ? { host: settings.hostname, port: settings.port }
      : { sock: proxy.stream }),
    username: settings.user,
    algorithms: algorithmsFor(known),
    hostVerifier: (key: Buffer, verify: (accepted: boolean) => void) =>
      void trust.accepts(key).then(verify),
    authHandler: (_, __, next) => next(auth.next() ?? (false as unknown as AnyAuthMethod)),
    keepaliveInterval: options.keepalive ?? KEEPALIVE,
    keepaliveCountMax: 3,
    readyTimeout: options.connectTimeout ?? timeout,
  };
}
