import type { Readable } from 'node:stream';
import { readSavedImages, type SavedFile } from './docker-save.ts';
import type { ImageExporter, Landed } from './exporter.ts';
import { forgetNames, knownNames, rememberNames } from './saved-names.ts';
import { requireSpace } from './space.ts';
import type { BlobStore } from './store.ts';

/** What an export through `docker save` needs of Docker. */
export interface ImageSaver {
  /** One archive with all names, as `docker save` writes it. */
  save(names: readonly string[], signal?: AbortSignal): Promise<Readable>;
}

/** Works with every Docker, and writes every byte of every image, whatever changed. */
export function saveExporter(docker: ImageSaver): ImageExporter {
  return {
    export: async (images, { folder, store, run, landed }) => {
      const layers = new Set(images.flatMap(({ diffIds }) => diffIds));
      await requireSpace(folder, images);
      const names = images.map(({ name }) => name);
      run.progress({ text: `docker save ${names.join(' ')}` });
      return readSavedImages(await docker.save(names, run.signal), folder, run.signal, {
        known: await knownNames(store),
        taken: (file) => (layers.has(file.digest) ? takeLayer(file, store, landed) : file),
        read: (files) => rememberNames(store, files),
      });
    },
    failed: forgetNames,
  };
}

/** A layer whose digest is one that Docker named, so that it can be packed while the rest comes. */
async function takeLayer(
  file: SavedFile,
  store: BlobStore,
  landed: Landed | undefined,
): Promise<SavedFile> {
  if (await store.has(file)) return file;
  await store.adopt(file);
  landed?.({ kind: 'layer', digest: file.digest, size: file.size });
  return { ...file, path: store.path(file.digest) };
}
