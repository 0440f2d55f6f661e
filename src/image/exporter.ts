import type { Blob, BuiltImage } from '../core/image.ts';
import type { Run } from '../core/step.ts';
import type { SavedImage } from './docker-save.ts';
import type { BlobStore } from './store.ts';

/** Where an export goes. */
export interface ExportTarget {
  /** Empty, on the store's file system; what is put there is the caller's to remove. */
  readonly folder: string;
  /** For what need not be exported again; it takes a layer over as soon as that is hashed. */
  readonly store: BlobStore;
  /** Told of a layer that lies in the store while the export goes on. */
  readonly landed?: Landed | undefined;
  readonly run: Run;
}

/** Told of layers that came into the store a moment ago, and were hashed on the way. */
export type Landed = (layer: Blob) => void;

/** Brings images out of Docker as files that were hashed. */
export interface ImageExporter {
  /** @throws ShipError `build` when Docker fails, `integrity` when what came is not whole */
  export(images: readonly BuiltImage[], target: ExportTarget): Promise<readonly SavedImage[]>;
  /** Told when what came of an export was refused. */
  failed?(store: BlobStore): Promise<void>;
}
