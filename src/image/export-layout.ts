import { link, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hexOf, isDigest, shortDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { BuiltImage } from '../core/image.ts';
import type { Run } from '../core/step.ts';
import { diskError } from '../core/disk.ts';
import type { SavedFile, SavedImage } from './docker-save.ts';
import type { ExportTarget, ImageExporter } from './exporter.ts';
import { hashFile } from './hash.ts';
import type { BlobStore } from './store.ts';

/** Writes images into OCI layouts. */
export interface LayoutWriter {
  /**
   * Writes what the layout in `folder` lacks of an image, layers uncompressed.
   *
   * @returns digest of its manifest
   */
  writeLayout(
    image: Pick<BuiltImage, 'name' | 'platform'>,
    folder: string,
    run: Run,
  ): Promise<Digest>;
}

/**
 * Writes only what the store lacks: the writer gets a layout of its own, in which the layers of the
 * store lie as hard links. So two processes never write one layout, and nothing gets a name in the
 * store before it was hashed.
 */
export function layoutExporter(writer: LayoutWriter): ImageExporter {
  return {
    export: async (images, target) => {
      const saved: SavedImage[] = [];
      for (const [index, image] of images.entries()) {
        const folder = join(target.folder, String(index));
        saved.push(await exportOne(writer, image, { ...target, folder }));
      }
      return saved;
    },
  };
}

async function exportOne(
  writer: LayoutWriter,
  image: BuiltImage,
  { folder, store, run }: ExportTarget,
): Promise<SavedImage> {
  const linked = await linkLayers(image.diffIds, store, folder);
  run.progress({
    text: `export ${image.name}: ${linked.size} of ${image.diffIds.length} layers are here`,
  });
  const digest = await writer.writeLayout(image, folder, run);
  run.signal.throwIfAborted();
  return readLayout(image.name, digest, folder, { store, linked });
}

/** @returns the layers that the store has, now in the layout too */
async function linkLayers(
  diffIds: readonly Digest[],
  store: BlobStore,
  folder: string,
): Promise<ReadonlySet<Digest>> {
  const linked = new Set<Digest>();
  try {
    await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true, mode: 0o700 });
    for (const diffId of new Set(diffIds)) {
      if ((await store.size(diffId)) === undefined) continue;
      await link(store.path(diffId), blobPath(folder, diffId));
      linked.add(diffId);
    }
  } catch (error) {
    throw diskError(folder, error);
  }
  return linked;
}

const descriptor = z.object({
  digest: z.custom<Digest>((text) => isDigest(String(text))),
  size: z.int(),
});

/** What is used of a manifest; an index, as attestations bring one, has neither. */
const manifests = z.object({ config: descriptor, layers: z.array(descriptor) });

async function readLayout(
  name: string,
  manifest: Digest,
  folder: string,
  { store, linked }: { readonly store: BlobStore; readonly linked: ReadonlySet<Digest> },
): Promise<SavedImage> {
  const file = await hashedBlob(folder, manifest);
  const { config, layers } = parseManifest(name, await readFile(file.path, 'utf8'));
  const files: SavedFile[] = [];
  for (const layer of layers) {
    const { digest, size } = layer;
    const kept = linked.has(digest);
    files.push(
      kept ? await linkedBlob(folder, layer, store) : await hashedBlob(folder, digest, size),
    );
  }
  return {
    names: [name],
    config: await hashedBlob(folder, config.digest, config.size),
    layers: files,
  };
}

function parseManifest(name: string, text: string): z.output<typeof manifests> {
  try {
    return manifests.parse(JSON.parse(text));
  } catch (cause) {
    throw new ShipError('integrity', `${name}: docker buildx wrote no manifest of one image`, {
      cause,
    });
  }
}

/** A file that was written just now: its name is only a claim. */
async function hashedBlob(folder: string, digest: Digest, size?: number): Promise<SavedFile> {
  const path = blobPath(folder, digest);
  const found = await hashFile(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? incomplete(digest, 'is missing') : error;
  });
  if (found.digest !== digest) throw incomplete(digest, 'has another digest');
  if (size !== undefined && found.size !== size) throw incomplete(digest, 'has another size');
  return { path, ...found };
}

/** A layer of the store was hashed when it came there, and is again before it is sent. */
async function linkedBlob(
  folder: string,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  store: BlobStore,
): Promise<SavedFile> {
  const path = blobPath(folder, digest);
  if ((await stat(path)).size === size) return { path, digest, size };
  await rm(store.path(digest), { force: true });
  throw incomplete(digest, 'was damaged in the store and is removed');
}

function blobPath(folder: string, digest: Digest): string {
  return join(folder, 'blobs', 'sha256', hexOf(digest));
}

function incomplete(digest: Digest, why: string): ShipError {
  return new ShipError('integrity', `the export is not whole: blob ${shortDigest(digest)} ${why}`, {
    hint: 'look at the log of dockerd, then run the same command again',
    retryable: true,
  });
}
