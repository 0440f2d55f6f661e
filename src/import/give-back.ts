import { ShipError } from '../core/errors.ts';
import { totalSize } from '../core/image.ts';
import type { Argv, Remote } from '../core/remote.ts';
import { parseFree } from '../facts/disk.ts';
import { LAYOUT, NODE_FOLDER } from '../facts/node-paths.ts';
import { rooted, type SentBlob } from './decode.ts';
import { dropKilled } from './sweep.ts';

const FREE: Argv = ['df', '-P', '-B1', NODE_FOLDER];

/**
 * Gives a full disk back what we took of it: the decoded blobs, and what containerd keeps of the
 * import that found no room. Otherwise nothing else works on the node until the next push, which
 * would be refused for want of room. After any other failure they stay, for the next run to go on.
 */
export async function giveBack(
  error: unknown,
  sent: readonly SentBlob[],
  remote: Remote,
): Promise<void> {
  if (!(error instanceof ShipError) || error.kind !== 'storage') return;
  try {
    const free = parseFree((await remote.run(FREE, rooted())).stdout);
    if (free >= totalSize(sent.map(({ blob }) => blob))) return;
    await dropKilled(remote);
    await remote.run(['rm', '-rf', '--one-file-system', LAYOUT], rooted());
  } catch {
    // What the import said of the disk says more; the next run sweeps.
  }
}
