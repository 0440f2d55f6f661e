import { Readable } from 'node:stream';
import { digestOf, parseDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { Blob, Platform } from '../core/image.ts';
import { MANIFEST_TYPE } from '../core/oci.ts';
import { openLayer, type SavedImage } from './docker-save.ts';
import { readFile } from 'node:fs/promises';
import type { Unnamed } from './records.ts';
import type { BlobStore } from './store.ts';

const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';

/**
 * Puts a saved image into the store: layers by diff ID, the config, and one manifest over them. The
 * manifest depends on nothing else, so the same image has the same manifest whoever exported it.
 *
 * @throws ShipError `integrity` when a layer is not what the config says; `config` for another platform
 */
export async function storeImage(
  saved: SavedImage,
  platform: Platform,
  store: BlobStore,
): Promise<Unnamed> {
  const text = await readFile(saved.config.path);
  const config = readConfig(text);
  if (config.platform !== platform) {
    throw new ShipError(
      'config',
      `${saved.names[0] ?? 'the image'} is for ${config.platform}, not ${platform}`,
      {
        hint: `build it for ${platform}, or set platform: ${config.platform}`,
      },
    );
  }
  if (config.diffIds.length !== saved.layers.length) {
    throw new ShipError(
      'integrity',
      `the image lists ${config.diffIds.length} layers and holds ${saved.layers.length}`,
    );
  }
  const layers: Blob[] = [];
  for (const [index, diffId] of config.diffIds.entries()) {
    layers.push({
      kind: 'layer',
      digest: diffId,
      size: await storeLayer(saved, index, diffId, store),
    });
  }
  const configBlob: Blob = { kind: 'config', digest: saved.config.digest, size: text.length };
  await store.put(configBlob.digest, Readable.from([text]));
  const manifest = await storeManifest(configBlob, layers, store);
  return { platform, manifest, config: configBlob, layers };
}

async function storeLayer(
  saved: SavedImage,
  index: number,
  diffId: Digest,
  store: BlobStore,
): Promise<number> {
  const file = saved.layers[index];
  if (file === undefined) throw new ShipError('integrity', `layer ${index} is missing`);
  const known = await store.size(diffId);
  // A name of the store is only ever given to bytes that were hashed.
  if (known !== undefined) return known;
  if (file.digest === diffId) return store.adopt(file);
  return store.put(diffId, openLayer(file));
}

async function storeManifest(
  config: Blob,
  layers: readonly Blob[],
  store: BlobStore,
): Promise<Blob> {
  const bytes = Buffer.from(manifestText(config, layers));
  const digest = digestOf(bytes);
  await store.put(digest, Readable.from([bytes]));
  return { kind: 'manifest', digest, size: bytes.length };
}

/** The manifest over a config and layers, always written the same way. */
export function manifestText(config: Blob, layers: readonly Blob[]): string {
  const descriptor = (mediaType: string, { digest, size }: Blob) => ({ mediaType, digest, size });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptor(CONFIG_TYPE, config),
    layers: layers.map((layer) => descriptor(LAYER_TYPE, layer)),
  });
}

/** What is used of an image's config. Throws ShipError `integrity` when it is not one. */
export function readConfig(bytes: Buffer): {
  readonly platform: Platform;
  readonly diffIds: readonly Digest[];
} {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as {
      readonly os: string;
      readonly architecture: string;
      readonly rootfs: { readonly diff_ids: readonly string[] };
    };
    const diffIds = value.rootfs.diff_ids.map((text) => parseDigest(text, 'a diff ID'));
    return { platform: `${value.os}/${value.architecture}`, diffIds };
  } catch (cause) {
    throw new ShipError('integrity', 'the config of an image cannot be read', { cause });
  }
}
