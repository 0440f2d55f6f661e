import { z } from 'zod';
import { ShipError } from '../core/errors.ts';

/** An image as the CRI reports it. */
export interface CriImage {
  /** Config digest. */
  readonly id: string;
  readonly names: readonly string[];
  readonly pinned: boolean;
}

const list = z.object({
  images: z
    .array(
      z.object({
        id: z.string(),
        repoTags: z.array(z.string()).nullish(),
        pinned: z.unknown().optional(),
      }),
    )
    .nullish(),
});

/**
 * Reads `crictl images -o json`.
 *
 * @throws ShipError `storage` when it is not JSON of that shape
 */
export function parseCriImages(text: string): readonly CriImage[] {
  return (readList(text).images ?? []).map(({ id, repoTags, pinned }) => ({
    id,
    names: repoTags ?? [],
    pinned: pinned === true,
  }));
}

function readList(text: string): z.output<typeof list> {
  try {
    return list.parse(JSON.parse(text));
  } catch (cause) {
    throw new ShipError('storage', 'crictl printed no list of images', { cause });
  }
}
