import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import type {
  handleUnaryCall,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/** User name and password (or identity token) for one registry. */
export interface RegistryLogin {
  readonly username: string;
  readonly secret: string;
}

/** A BuildKit session: the way back from the daemon to us, for registry logins. */
export interface DockerSession {
  readonly id: string;
  close(): void;
}

type Login = (registry: string) => Promise<RegistryLogin | undefined>;

/** `HealthCheckResponse { status: SERVING }` of grpc.health.v1. */
const SERVING = Buffer.from([0x08, 0x01]);

const METHODS = ['/moby.filesync.v1.Auth/Credentials', '/grpc.health.v1.Health/Check'];

/**
 * Opens `POST /session`. dockerode's own session answers no health check, so the daemon drops it
 * after some seconds and a base image that is resolved late fails (dockerode#845); this one answers.
 * It also gives each registry its own login only, not one to whoever asks.
 *
 * @throws what docker-modem throws; see `dockerError`
 */
export async function openSession(
  api: Docker,
  login: Login,
  signal: AbortSignal,
): Promise<DockerSession> {
  const { Server, ServerCredentials } = await import('@grpc/grpc-js');
  const id = randomUUID();
  const socket = await upgrade(api, id, signal);
  const server = new Server();
  server.addService(AUTH, authService(login));
  const check: handleUnaryCall<Buffer, Buffer> = (_call, reply) => reply(null, SERVING);
  server.addService(HEALTH, { check });
  server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(socket);
  return {
    id,
    close: () => {
      server.forceShutdown();
      socket.destroy();
    },
  };
}

async function upgrade(api: Docker, id: string, signal: AbortSignal): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const options = {
    method: 'POST',
    path: '/session',
    hijack: true,
    abortSignal: signal,
    headers: {
      Upgrade: 'h2c',
      'X-Docker-Expose-Session-Uuid': id,
      'X-Docker-Expose-Session-Name': 'ciliumship',
      'X-Docker-Expose-Session-Grpc-Method': METHODS,
    },
    statusCodes: { 200: true, 101: true, 400: 'bad request', 500: 'server error' },
  };
  api.modem.dial(options, (error: unknown, data: unknown) => {
    if (error) reject(error);
    else resolve(data as Duplex);
  });
  const socket = await promise;
  // The daemon may drop it at any time; the build itself says whether that mattered.
  socket.on('error', () => undefined);
  return socket;
}

const bytes = (value: Buffer): Buffer => value;

function unary(path: string): ServiceDefinition[string] {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

const AUTH: ServiceDefinition = { credentials: unary('/moby.filesync.v1.Auth/Credentials') };
const HEALTH: ServiceDefinition = { check: unary('/grpc.health.v1.Health/Check') };

function authService(login: Login): UntypedServiceImplementation {
  const file = createRequire(import.meta.url).resolve('dockerode/lib/proto/auth.proto');
  const root = protobuf.loadSync(file);
  const Request = root.lookupType('moby.filesync.v1.CredentialsRequest');
  const Response = root.lookupType('moby.filesync.v1.CredentialsResponse');
  const answer = async (request: Buffer): Promise<Buffer> => {
    const { Host = '' } = Request.toObject(Request.decode(request)) as { readonly Host?: string };
    const found = await login(Host);
    const fields = found === undefined ? {} : { Username: found.username, Secret: found.secret };
    return Buffer.from(Response.encode(Response.create(fields)).finish());
  };
  const credentials: handleUnaryCall<Buffer, Buffer> = ({ request }, reply) => {
    answer(request).then(
      (response) => reply(null, response),
      (error: unknown) => reply({ details: String(error) }),
    );
  };
  return { credentials };
}
