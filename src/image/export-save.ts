import type { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import { readSavedImages, type Reading } from './docker-save.ts';
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
      const known = await knownNames(store);
      const archive = await docker.save(names, run.signal);
      const wanted = new Set(images.flatMap(({ diffIds }) => diffIds));
      return readSavedImages(archive, folder, run.signal, {
        taken: takeLayers(wanted, target),
        known,
        read: (files) => rememberNames(store, files),
      });
    },
    failed: forgetNames,
  };
}

/**
 * Brings each layer into the store as soon as it is hashed, so that it can be used while the rest is
 * still to come. It stays when that fails: it is what its name says, and another process may count on
 * it by now.
 *
 * @param wanted diff IDs that Docker named; every other file stays where it is
 */
function takeLayers(
  wanted: ReadonlySet<Digest>,
  { store, landed }: ExportTarget,
): NonNullable<Reading['taken']> {
  return async (file) => {
    if (!wanted.has(file.digest) || (await store.has(file))) return file;
    await store.adopt(file);
    landed?.({ kind: 'layer', digest: file.digest, size: file.size });
    return { ...file, path: store.path(file.digest) };
  };
}
