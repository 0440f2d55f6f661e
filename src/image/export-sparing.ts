import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltImage, Platform } from '../core/image.ts';
import { diskError } from './disk.ts';
import type { ExportTarget, ImageExporter } from './exporter.ts';
import type { BlobStore } from './store.ts';

/**
 * Two ways out of a Docker that keeps its images in containerd. buildx writes only the layers that the
 * store lacks, and makes each of them anew; `docker save` hands out what lies there, all of it. So an
 * image that the store has nothing of is saved, and buildx brings what changed of the others.
 *
 * @param native the platform whose images `docker save` lists
 */
export function sparingExporter(
  saves: ImageExporter,
  layouts: ImageExporter,
  native: Platform,
): ImageExporter {
  return {
    ...saves,
    export: async (images, target) => {
      const isNew = await Promise.all(
        images.map(
          async (image) => image.platform === native && !(await isBegun(image, target.store)),
        ),
      );
      const saved = await exportInto(
        'saved',
        saves,
        images.filter((_, at) => isNew[at]),
        target,
      );
      const written = await exportInto(
        'written',
        layouts,
        images.filter((_, at) => !isNew[at]),
        target,
      );
      return [...saved, ...written];
    },
  };
}

/** True when the store has a layer of the image. */
async function isBegun({ diffIds }: BuiltImage, store: BlobStore): Promise<boolean> {
  const sizes = await Promise.all(diffIds.map((digest) => store.size(digest)));
  return sizes.some((size) => size !== undefined);
}

/** Both ways name their files by numbers, so each gets a folder of its own. */
async function exportInto(
  name: string,
  exporter: ImageExporter,
  images: readonly BuiltImage[],
  target: ExportTarget,
): ReturnType<ImageExporter['export']> {
  if (images.length === 0) return [];
  const folder = join(target.folder, name);
  await mkdir(folder).catch((error: unknown) => {
    throw diskError(folder, error);
  });
  return exporter.export(images, { ...target, folder });
}
