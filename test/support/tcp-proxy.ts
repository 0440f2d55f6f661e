import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A link on 127.0.0.1 that can be made bad while it is used. */
export interface BadLink {
  readonly port: number;
  /** Bytes that went towards the server so far. */
  readonly sent: number;
  /** Connections so far. */
  readonly connections: number;
  /** From now on nothing passes and nothing ends: a link that went silent. */
  freeze(): void;
  /** New connections pass again. */
  thaw(): void;
  /** From now on this many bytes pass towards the server in a second, on each connection. */
  limit(rate: number): void;
  /** Ends every connection; new ones are let through. */
  cut(): void;
  /** Flips one bit in the next bytes towards the server. */
  flipNext(): void;
  stop(): Promise<void>;
}

/**
 * @param port of the server on 127.0.0.1 that the link leads to
 * @param latency milliseconds that every byte is late, in each direction
 */
export async function startBadLink(port: number, latency = 0): Promise<BadLink> {
  const rate = Number.POSITIVE_INFINITY;
  const state = { frozen: false, flip: false, sent: 0, connections: 0, rate };
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    state.connections += 1;
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => undefined);
    }
    near.on('data', (bytes) => {
      state.sent += bytes.length;
      if (state.flip) bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
      state.flip = false;
      slowDown(near, (bytes.length / state.rate) * 1000);
      late(latency, () => {
        if (!state.frozen && !far.write(bytes)) pauseUntilDrained(near, far);
      });
    });
    far.on('data', (bytes) => {
      late(latency, () => {
        if (!state.frozen && !near.write(bytes)) pauseUntilDrained(far, near);
      });
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
    get connections() {
      return state.connections;
    },
    thaw: () => void (state.frozen = false),
    limit: (bytes) => void (state.rate = bytes),
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

/** Timers of one length go off in the order in which they were set. */
function late(milliseconds: number, pass: () => void): void {
  if (milliseconds === 0) pass();
  else setTimeout(pass, milliseconds);
}

function slowDown(socket: Socket, milliseconds: number): void {
  if (milliseconds < 1) return;
  socket.pause();
  setTimeout(() => socket.resume(), milliseconds);
}
