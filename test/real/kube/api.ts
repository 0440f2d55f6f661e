import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** An API server of our own on the loopback address. */
export interface Api extends AsyncDisposable {
  readonly kubeconfig: { readonly text: string };
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** Connections that the client holds. */
  connections(): number;
}

type Upgrade = (request: IncomingMessage, socket: Duplex) => void;

export async function startApi(answer: RequestListener, upgrade: Upgrade): Promise<Api> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => undefined);
  });
  server.on('upgrade', (request, socket) => {
    asked.push(request.url ?? '');
    // Nobody else reads what an upgraded connection says, and its end would go unseen.
    socket.on('end', () => socket.end()).resume();
    upgrade(request, socket);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    kubeconfig: { text: kubeconfigFor(port) },
    asked,
    connections: () => open.size,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

function kubeconfigFor(port: number): string {
  const server = `http://127.0.0.1:${port}`;
  return JSON.stringify({
    // Without TLS; the client takes that for a slip unless it is told not to verify anything.
    clusters: [{ name: 'own', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'own', user: {} }],
    contexts: [{ name: 'own', context: { cluster: 'own', user: 'own' } }],
    'current-context': 'own',
  });
}

/** Says yes to a WebSocket; what comes then is the test's. */
export function accept({ headers }: IncomingMessage, socket: Duplex): void {
  const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const proof = createHash('sha1').update(key).digest('base64');
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${proof}`,
    'Sec-WebSocket-Protocol: v4.channel.k8s.io',
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
}

/** One short binary message (below 126 bytes) of a channel: 1 stdout, 2 stderr, 3 status. */
export function message(channel: 1 | 2 | 3, text: string): Buffer {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x82, body.length + 1, channel]), body]);
}
