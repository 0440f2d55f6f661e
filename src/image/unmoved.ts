import type { BuiltImage } from '../core/image.ts';
import { ShipError } from '../core/errors.ts';
import type { ImageExporter } from './exporter.ts';

/** Docker's own id of the image that bears a name; undefined when none does. */
export type IdOf = (name: string, signal: AbortSignal) => Promise<BuiltImage['id'] | undefined>;

/**
 * An exporter that refuses an image whose tag moved while it was exported: what came is not what was
 * looked at, even if its layers are the same, and would be remembered under the wrong id.
 */
export function unmoved(exporter: ImageExporter, idOf: IdOf): ImageExporter {
  return {
    ...exporter,
    export: async (images, target) => {
      const saved = await exporter.export(images, target);
      for (const image of images) {
        const now = await idOf(image.name, target.run.signal);
        if (now !== image.id) throw movedError(image.name);
      }
      return saved;
    },
  };
}

/** @param name of an image that is not the one that was looked at */
export function movedError(name: string): ShipError {
  return new ShipError('integrity', `${name} became another image while it was exported`, {
    hint: 'something moved the tag meanwhile; run the same command again',
    retryable: true,
  });
}
