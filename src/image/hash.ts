import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Digest } from '../core/digest.ts';

const PIECE = 1024 * 1024;

/**
 * Digest and size in bytes of a file, read once in pieces. Throws as reading does. All pieces take the
 * same memory: new megabytes for each keep the garbage collector as busy as the hashing itself.
 */
export async function hashFile(
  path: string,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  const piece = Buffer.allocUnsafe(PIECE);
  await using file = await open(path);
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, PIECE);
    if (bytesRead === 0) break;
    hash.update(piece.subarray(0, bytesRead));
    size += bytesRead;
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}
