import type { Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import { digestName, totalSize, type BuiltImage, type ShipImage } from '../core/image.ts';
import type { Self } from '../core/lock.ts';
import type { Run, Step } from '../core/step.ts';
import { counted } from '../core/text.ts';
import { qualified } from '../facts/node-store.ts';
import { isFull } from '../core/disk.ts';
import { discard, type SavedImage } from './docker-save.ts';
import type { ExportTarget, ImageExporter, Landed } from './exporter.ts';
import { dropBlobs } from './prune.ts';
import type { Unnamed } from './records.ts';
import { storeImage } from './ship-image.ts';
import type { BlobStore } from './store.ts';
import { movedError } from './unmoved.ts';

export interface ExportOptions {
  /** Told of each layer that can be used while the export goes on. */
  readonly landed?: Landed;
  /** Who locks the store to take back what filled the disk; it is left to the pruning when absent. */
  readonly self?: Self;
}

/**
 * One step that brings images from Docker into the store. What is there already is not saved again:
 * an image is recognised by Docker's own id before anything is read.
 *
 * @param choose called when something has to be exported, because looking at Docker takes time
 */
export function exportStep(
  images: readonly BuiltImage[],
  choose: () => Promise<ImageExporter>,
  store: BlobStore,
  options: ExportOptions = {},
): Step<readonly ShipImage[]> {
  return {
    id: 'export',
    title: `export ${counted(images.length, 'image')}`,
    plan: () => [`bring ${images.map((image) => image.name).join(' ')} out of Docker`],
    done: async () => {
      const known = (await recallAll(images, store)).filter((image) => image !== undefined);
      return known.length === images.length ? known : undefined;
    },
    run: (run) => makingRoom(store, options, run, (to) => exportImages(images, choose, to)),
    describe: (ship) => {
      const size = totalSize(ship.flatMap((image) => image.layers));
      return `${counted(ship.length, 'image')}, ${(size / 1e6).toFixed(0)} MB`;
    },
  };
}

/** A disk that is full must not stay full because of us. What exporting throws is passed on. */
async function makingRoom<T>(
  store: BlobStore,
  { landed, self }: ExportOptions,
  run: Run,
  exporting: (to: Omit<ExportTarget, 'folder'>) => Promise<T>,
): Promise<T> {
  const added: Digest[] = [];
  const land: Landed = (layer) => {
    added.push(layer.digest);
    landed?.(layer);
  };
  try {
    return await exporting({ store, landed: land, run });
  } catch (error) {
    const { signal } = run;
    if (isFull(error) && self !== undefined) await dropBlobs(store, added, { self, signal });
    throw error;
  }
}

async function recallAll(
  images: readonly BuiltImage[],
  store: BlobStore,
): Promise<readonly (ShipImage | undefined)[]> {
  return Promise.all(
    images.map(async (image) => {
      const known = await store.recall(image.id);
      return known === undefined ? undefined : named(image, known);
    }),
  );
}

async function exportImages(
  images: readonly BuiltImage[],
  choose: () => Promise<ImageExporter>,
  to: Omit<ExportTarget, 'folder'>,
): Promise<readonly ShipImage[]> {
  const { store, run } = to;
  const known = await recallAll(images, store);
  const missing = images.filter((_, index) => known[index] === undefined);
  const scratch = await store.scratch();
  try {
    const exporter = await choose();
    const saved = await exporter.export(missing, { ...to, folder: scratch });
    await storeAll(saved, missing, store, run).catch(async (error: unknown) => {
      await exporter.failed?.(store);
      throw error;
    });
  } finally {
    await discard(scratch);
  }
  return Promise.all(images.map(async (image) => named(image, await mustRecall(image, store))));
}

async function storeAll(
  saved: readonly SavedImage[],
  missing: readonly BuiltImage[],
  store: BlobStore,
  run: Run,
): Promise<void> {
  for (const image of missing) {
    run.progress({ text: `store ${image.name}` });
    const stored = await storeImage(find(saved, image), image.platform, store);
    requireSameLayers(image, stored);
    await store.remember(image.id, stored);
  }
}

/** Docker leaves `docker.io/` out of the names that it writes. */
function find(saved: readonly SavedImage[], image: BuiltImage): SavedImage {
  const wanted = qualified(image.name);
  const found = saved.find(({ names }) => names.some((name) => qualified(name) === wanted));
  if (found !== undefined) return found;
  throw new ShipError('integrity', `${image.name} is not among what Docker exported`, {
    retryable: true,
  });
}

/** The tag may have moved between the look at the image and the save of its name. */
function requireSameLayers({ name, diffIds }: BuiltImage, { layers }: Unnamed): void {
  const same =
    diffIds.length === layers.length && layers.every(({ digest }, at) => digest === diffIds[at]);
  if (same) return;
  throw movedError(name);
}

async function mustRecall(image: BuiltImage, store: BlobStore): Promise<Unnamed> {
  const known = await store.recall(image.id);
  if (known !== undefined) return known;
  throw new ShipError('integrity', `${image.name} left the store while it was exported`, {
    retryable: true,
  });
}

function named(image: BuiltImage, ship: Unnamed): ShipImage {
  const { key, name } = image;
  return { ...ship, key, name, digestName: digestName(name, ship.config.digest) };
}
