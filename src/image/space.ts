import { statfs } from 'node:fs/promises';
import { ShipError } from '../core/errors.ts';
import type { BuiltImage } from '../core/image.ts';

/**
 * Refuses an export that cannot fit, before it begins (F8). Images share layers, so all that is
 * certain is that the largest of them must fit.
 *
 * @throws ShipError `build` with what is needed and what is free
 */
export async function requireSpace(
  folder: string,
  images: readonly Pick<BuiltImage, 'name' | 'size'>[],
): Promise<void> {
  const [largest] = images.toSorted((one, other) => (other.size ?? 0) - (one.size ?? 0));
  const needed = largest?.size ?? 0;
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (needed <= free) return;
  throw new ShipError(
    'build',
    `${largest?.name} needs ${megabytes(needed)} in ${folder}, and ${megabytes(free)} are free`,
    { hint: 'make room there, or set XDG_CACHE_HOME to a folder on another disk', retryable: true },
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
