import type { Readable } from 'node:stream';
import { readSavedImages } from './docker-save.ts';
import type { ImageExporter } from './exporter.ts';
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
    export: async (images, { folder, store, run }) => {
      await requireSpace(folder, images);
      const names = images.map(({ name }) => name);
      run.progress({ text: `docker save ${names.join(' ')}` });
      return readSavedImages(await docker.save(names, run.signal), folder, run.signal, {
        known: await knownNames(store),
        read: (files) => rememberNames(store, files),
      });
    },
    failed: forgetNames,
  };
}
