import { createHash } from 'node:crypto';
import type { Remote, RemoteFiles } from '../core/remote.ts';
import type { WireBlob } from './send.ts';

/**
 * Bytes that may have been under way when the connection was cut. What lies further back was
 * acknowledged without a hole; this much is sent again (reference reliability, F16).
 */
const UNDER_WAY = 4 * 1024 * 1024;

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
  const start = size - UNDER_WAY;
  if (start > 0 && size <= wire.size) {
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
  const asked = await remote.run(['sh', '-c', script, 'prefix', String(bytes), part], { signal });
  return asked.stdout.slice(0, 64);
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
