import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Client } from 'ssh2';

/** A local port whose connections end at an address that the node can reach. */
export interface Tunnel extends AsyncDisposable {
  readonly port: number;
}

/**
 * Listens on 127.0.0.1; a connection that the node cannot pass on is closed.
 *
 * @param present the connection to the node, asked for each that comes in
 */
export async function openTunnel(
  present: () => Client,
  host: string,
  port: number,
): Promise<Tunnel> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    forward(present(), socket, host, port);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port: local } = server.address() as AddressInfo;
  return { port: local, [Symbol.asyncDispose]: () => stopServer(server, open) };
}

function forward(client: Client, socket: Socket, host: string, port: number): void {
  try {
    client.forwardOut('127.0.0.1', 0, host, port, (error, stream) => {
      if (error) {
        socket.destroy();
        return;
      }
      stream.on('error', () => socket.destroy());
      stream.on('close', () => socket.destroy());
      socket.on('close', () => stream.destroy());
      socket.pipe(stream).pipe(socket);
    });
  } catch {
    // The connection to the node has ended.
    socket.destroy();
  }
}

/** HTTP clients keep connections open; waiting for them would be for ever. */
function stopServer(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of open) socket.destroy();
  });
}
