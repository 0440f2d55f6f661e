import { createHash } from 'node:crypto';
import type { Argv, Remote, RemoteFiles } from '../core/remote.ts';
import type { WireBlob } from './send.ts';

/**
 * Bytes that may have been under way when the connection was cut, with holes among them. What lies
 * further back was acknowledged without one.
 */
const UNDER_WAY = 8 * 1024 * 1024;

/** Enough to hash gigabytes on a slow disk. */
const HASH_WITHIN = 10 * 60_000;

/**
 * Where to go on with a file that was cut. What lies there is a claim until the node has hashed it:
 * holes, another run's bytes or someone else's make it start anew (F20).
 *
 * @param part the half sent file
 * @returns offset in bytes; 0 when there is nothing to go on with
 * @throws ShipError `network`, `storage`
 */
export async function resumePoint(
  remote: Remote & RemoteFiles,
  part: string,
  wire: WireBlob,
  signal: AbortSignal,
): Promise<number> {
  const size = await remote.size(part);
  if (size === undefined) return 0;
  const starts = size > wire.size ? [] : [size, size - UNDER_WAY].filter((start) => start > 0);
  for (const start of starts) {
    const theirs = await hashThere(remote, part, start, signal);
    if (theirs === (await hashHere(wire, start))) return start;
  }
  await remote.remove(part);
  return 0;
}

async function hashThere(
  remote: Remote,
  part: string,
  bytes: number,
  signal: AbortSignal,
): Promise<string> {
  const script = 'head -c "$1" < "$2" | sha256sum';
  const argv: Argv = ['sh', '-c', script, 'prefix', String(bytes), part];
  const { stdout } = await remote.run(argv, { signal, timeout: HASH_WITHIN });
  return stdout.slice(0, 64);
}

async function hashHere(wire: WireBlob, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  let left = bytes;
  for await (const chunk of wire.open()) {
    hash.update(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) break;
  }
  return hash.digest('hex');
}
