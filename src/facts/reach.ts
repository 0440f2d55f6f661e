import { z } from 'zod';
import { readJson } from '../core/json.ts';
import type { Argv, Remote } from '../core/remote.ts';

/**
 * `refused` was answered with a refusal, of the machine or of a firewall; `unreachable` is what the
 * node knows no way to, or was told that there is none. No answer at all says nothing about who was
 * silent, and what nobody could try is unknown too.
 */
export type Reach = 'open' | 'refused' | 'unreachable' | 'unknown';

/** Seconds that an answer may take. */
const PATIENCE = '2';
/** Of `timeout` when the time is over. */
const TIME_IS_OVER = 124;
/** Of a program that is not there, or may not be run. */
const MISSING = [126, 127] as const;

/** Whether an address answers a ping that leaves by an interface of the node; undefined when nobody can ping. */
export async function reachByPing(
  remote: Remote,
  from: string,
  address: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const argv: Argv = ['ping', '-c', '1', '-W', PATIENCE, '-I', from, address];
  const { code } = await remote.run(argv, { signal, accept: [1, 2, ...MISSING] });
  return isMissing(code) ? undefined : code === 0;
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
  const { stdout } = await remote.run(argv, { signal, accept: [1, 2, 255, ...MISSING] });
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
  // Only the words of the error number are known here, and only in this language.
  const argv: Argv = ['env', 'LC_ALL=C', 'timeout', PATIENCE, 'bash', '-c', script, address, port];
  const options = { signal, accept: [1, 2, TIME_IS_OVER, ...MISSING] };
  const { code, stderr } = await remote.run(argv, options);
  if (code === 0) return 'open';
  return isMissing(code) ? 'unknown' : meaningOf(stderr);
}

/** Of ECONNREFUSED, EHOSTUNREACH and ENETUNREACH; anything else went wrong on the node itself. */
function meaningOf(error: string): Reach {
  if (error.includes('Connection refused')) return 'refused';
  return /No route to host|Network is unreachable/.test(error) ? 'unreachable' : 'unknown';
}

function isMissing(code: number): boolean {
  return MISSING.some((missing) => missing === code);
}
