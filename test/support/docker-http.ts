import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A daemon that answers as a test says: for faults that a real one cannot be made to show. */
export interface HttpDocker {
  readonly env: Readonly<Record<string, string>>;
  /** `METHOD /path` of every request so far. */
  readonly requests: readonly string[];
  /** Connections that are open now. */
  readonly open: ReadonlySet<Duplex>;
  stop(): Promise<void>;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/**
 * @param answers start of the path (without query) → answer; a ping is answered, sessions are
 * taken, and anything else is not found
 */
export async function startHttpDocker(
  answers: Readonly<Record<string, Answer>>,
): Promise<HttpDocker> {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-http-'));
  const requests: string[] = [];
  const open = new Set<Duplex>();
  const all: Readonly<Record<string, Answer>> = {
    '/_ping': (response) => response.end('OK'),
    ...answers,
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    requests.push(`${request.method} ${path}`);
    // As dockerd: the whole context is read before anything is said.
    request.resume();
    const known = Object.keys(all).find((start) => path.startsWith(start));
    const answer = known === undefined ? undefined : all[known];
    request.once('end', () => {
      if (answer === undefined) response.writeHead(404).end('{"message":"no such thing"}');
      else answer(response, request);
    });
  });
  server.on('upgrade', (_request, socket: Duplex) => {
    requests.push('UPGRADE /session');
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    socket.resume();
  });
  server.on('connection', (socket: Duplex) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'docker.sock'), resolve));
  return {
    env: { DOCKER_HOST: `unix://${folder}/docker.sock` },
    requests,
    open,
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
