import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import { readSavedImages, type Reading, type SavedImage } from './docker-save.ts';
import type { ExportTarget, ImageExporter } from './exporter.ts';
import { forgetNames, knownNames, rememberNames } from './saved-names.ts';
import { requireSpace } from './space.ts';

/** What an export through `docker save` needs of Docker. */
export interface ImageSaver {
  /** One archive with all names, as `docker save` writes it. */
  save(names: readonly string[], signal?: AbortSignal): Promise<Readable>;
}

/** Works with every Docker, and writes every byte of every image, whatever changed. */
export function saveExporter(docker: ImageSaver): ImageExporter {
  return {
    export: async (images, target) => {
      const { folder, store, run } = target;
      await requireSpace(folder, images);
      const names = images.map(({ name }) => name);
      run.progress({ text: `docker save ${names.join(' ')}` });
      const archive = await docker.save(names, run.signal);
      const wanted = new Set(images.flatMap(({ diffIds }) => diffIds));
      return takingLayers(wanted, target, async (taken) =>
        readSavedImages(archive, folder, run.signal, {
          taken,
          known: await knownNames(store),
          read: (files) => rememberNames(store, files),
        }),
      );
    },
    failed: forgetNames,
  };
}

/**
 * Reads an archive whose layers come into the store as soon as they are hashed, so that they can be
 * used while the rest is still to come. When it fails they go again: the disk may be full of them.
 *
 * @param wanted diff IDs that Docker named; every other file stays where it is
 */
async function takingLayers(
  wanted: ReadonlySet<Digest>,
  { store, landed }: ExportTarget,
  read: (taken: NonNullable<Reading['taken']>) => Promise<readonly SavedImage[]>,
): Promise<readonly SavedImage[]> {
  const added: string[] = [];
  try {
    return await read(async (file) => {
      if (!wanted.has(file.digest) || (await store.has(file))) return file;
      const path = store.path(file.digest);
      await store.adopt(file);
      added.push(path);
      landed?.({ kind: 'layer', digest: file.digest, size: file.size });
      return { ...file, path };
    });
  } catch (error) {
    await Promise.all(added.map((path) => rm(path, { force: true })));
    throw error;
  }
}
