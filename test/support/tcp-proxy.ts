import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A link on 127.0.0.1 that can be made bad while it is used. */
export interface BadLink {
  readonly port: number;
  /** Bytes that went towards the server so far. */
  readonly sent: number;
  /** From now on nothing passes and nothing ends: a link that went silent. */
  freeze(): void;
  /** Ends every connection; new ones are let through. */
  cut(): void;
  /** Flips one bit in the next bytes towards the server. */
  flipNext(): void;
  stop(): Promise<void>;
}

/** @param port of the server on 127.0.0.1 that the link leads to */
export async function startBadLink(port: number): Promise<BadLink> {
  const state = { frozen: false, flip: false, sent: 0 };
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => undefined);
    }
    near.on('data', (bytes) => {
      state.sent += bytes.length;
      if (state.flip) bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
      state.flip = false;
      if (!state.frozen && !far.write(bytes)) pauseUntilDrained(near, far);
    });
    far.on('data', (bytes) => {
      if (!state.frozen && !near.write(bytes)) pauseUntilDrained(far, near);
    });
    near.on('close', () => state.frozen || far.destroy());
    far.on('close', () => state.frozen || near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get sent() {
      return state.sent;
    },
    freeze: () => void (state.frozen = true),
    cut: () => {
      for (const socket of open) socket.destroy();
    },
    flipNext: () => void (state.flip = true),
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pauseUntilDrained(from: Socket, to: Socket): void {
  from.pause();
  to.once('drain', () => from.resume());
}
