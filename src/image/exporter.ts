import type { BuiltImage } from '../core/image.ts';
import type { Run } from '../core/step.ts';
import type { SavedImage } from './docker-save.ts';
import type { BlobStore } from './store.ts';

/** Where an export goes. */
export interface ExportTarget {
  /** Empty, on the store's file system; what is put there is the caller's to remove. */
  readonly folder: string;
  /** For what need not be exported again; the exporter puts nothing into it. */
  readonly store: BlobStore;
  readonly run: Run;
}

/** Brings images out of Docker as files that were hashed. */
export interface ImageExporter {
  /** @throws ShipError `build` when Docker fails, `integrity` when what came is not whole */
  export(images: readonly BuiltImage[], target: ExportTarget): Promise<readonly SavedImage[]>;
  /** Told when what came of an export was refused. */
  failed?(store: BlobStore): Promise<void>;
}
