import { z } from 'zod';
import { readJson } from '../core/json.ts';
import type { Argv, Remote } from '../core/remote.ts';

/** `blocked` was answered by a refusal; no answer at all says nothing about who was silent. */
export type Reach = 'open' | 'blocked' | 'unknown';

/** Seconds that an answer may take. */
const PATIENCE = '2';
/** Of `timeout` when the time is over, and of a program that is not there. */
const SILENT = [124, 126, 127] as const;

/** Whether an address answers a ping that leaves by an interface of the node. */
export async function reachByPing(
  remote: Remote,
  from: string,
  address: string,
  signal: AbortSignal,
): Promise<Reach> {
  return reach(remote, ['ping', '-c', '1', '-W', PATIENCE, '-I', from, address], signal);
}

const neighbours = z.array(z.object({ state: z.array(z.string()).default([]) }));

/**
 * What the node knows of the hardware address of a neighbour, as `ip neigh` says it: `FAILED` when
 * nobody answered ARP, `REACHABLE` when only the ping stayed away.
 *
 * @returns undefined when it knows nothing
 */
export async function readNeighbour(
  remote: Remote,
  device: string,
  address: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const argv = ['ip', '-j', 'neigh', 'show', 'to', address, 'dev', device] as const;
  const { stdout } = await remote.run(argv, { signal, accept: [1, 2, 255, ...SILENT] });
  return readJson(neighbours, stdout)?.[0]?.state[0];
}

/**
 * Whether a port takes a connection from the node. UDP has no handshake: there `open` only means
 * that nobody refused.
 */
export async function reachPort(
  remote: Remote,
  protocol: 'tcp' | 'udp',
  address: string,
  port: string,
  signal: AbortSignal,
): Promise<Reach> {
  // bash is what every distribution has that can open a connection; address and port are operands.
  const open = `exec 3<>/dev/${protocol}/"$0"/"$1"`;
  // The refusal of a datagram is told to the next one.
  const script = protocol === 'tcp' ? open : `${open} && echo >&3 && sleep 0.2 && echo >&3`;
  const line = `{ ${script}; } 2>/dev/null`;
  return reach(remote, ['timeout', PATIENCE, 'bash', '-c', line, address, port], signal);
}

async function reach(remote: Remote, argv: Argv, signal: AbortSignal): Promise<Reach> {
  const { code } = await remote.run(argv, { signal, accept: [1, 2, ...SILENT] });
  if (code === 0) return 'open';
  return SILENT.some((silent) => silent === code) ? 'unknown' : 'blocked';
}
