import { z } from 'zod';
import { ShipError } from '../core/errors.ts';

/** An image as the CRI reports it. */
export interface CriImage {
  /** Config digest. */
  readonly id: string;
  readonly names: readonly string[];
  /** Digests of manifests by which it was pulled from a registry. */
  readonly digests?: readonly string[];
  readonly pinned: boolean;
  /** Bytes of its layers as they lie in the content store, with those that others share. */
  readonly size: number;
}

/** A container of any state; what it was made from may not be removed. */
export interface CriContainer {
  /** Config digest of its image. */
  readonly image: string;
  readonly pod: string;
}

const images = z.object({
  images: z
    .array(
      z.object({
        id: z.string(),
        repoTags: z.array(z.string()).nullish(),
        repoDigests: z.array(z.string()).nullish(),
        pinned: z.unknown().optional(),
        size: z.coerce.number().catch(0),
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
  const list = read(images, text, 'images').images ?? [];
  return list.map(({ id, repoTags, repoDigests, pinned, size }) => ({
    id,
    names: repoTags ?? [],
    digests: (repoDigests ?? []).map((name) => name.slice(name.indexOf('@') + 1)),
    pinned: pinned === true,
    size,
  }));
}

const containers = z.object({
  containers: z
    .array(
      z.object({
        imageRef: z.string(),
        labels: z.record(z.string(), z.string()).nullish(),
      }),
    )
    .nullish(),
});

/**
 * Reads `crictl ps -a -o json`.
 *
 * @throws ShipError `storage` when it is not JSON of that shape
 */
export function parseContainers(text: string): readonly CriContainer[] {
  const list = read(containers, text, 'containers').containers ?? [];
  return list.map(({ imageRef, labels }) => ({
    image: imageRef,
    pod: labels?.['io.kubernetes.pod.name'] ?? 'a container',
  }));
}

function read<T>(schema: z.ZodType<T>, text: string, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ShipError('storage', `crictl printed no list of ${what}`, { cause });
  }
}
