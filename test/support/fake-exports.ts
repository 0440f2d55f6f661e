import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { hexOf, type Digest } from '../../src/core/digest.ts';
import { ShipError } from '../../src/core/errors.ts';
import type { BuiltImage } from '../../src/core/image.ts';
import { layoutExporter, type LayoutWriter } from '../../src/image/export-layout.ts';
import { saveExporter } from '../../src/image/export-save.ts';
import type { ExportedDocker } from './exporter-suite.ts';
import { configOf, tarOf, type Content, type Entry } from './saved-archive.ts';
import { digestOf } from './values.ts';

type Images = Map<string, Content>;

/** A Docker in memory whose images come as one archive. */
export async function fakeSaves(): Promise<ExportedDocker> {
  const images: Images = new Map();
  const save = async (names: readonly string[], signal?: AbortSignal): Promise<Readable> => {
    signal?.throwIfAborted();
    const saved = names.map((name) => imageOf(images, name));
    const blobs = saved.flatMap((image) => [configOf(image), ...image.layers].map(blobEntry));
    // What images share is saved once.
    const entries = new Map(blobs.map((entry) => [entry.name, entry]));
    return Readable.from([await tarOf([...entries.values(), manifestOf(saved)])]);
  };
  return { exporter: saveExporter({ save }), build: builder(images) };
}

/** A Docker in memory that writes what a layout lacks, as buildx does, and the paths that it wrote. */
export async function fakeLayouts(): Promise<ExportedDocker & { readonly written: string[] }> {
  const images: Images = new Map();
  const written: string[] = [];
  const writeLayout: LayoutWriter['writeLayout'] = async ({ name }, folder, { signal }) => {
    signal.throwIfAborted();
    const { manifest, blobs } = layoutOf(imageOf(images, name));
    mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true });
    for (const bytes of blobs) {
      const path = join(folder, blobEntry(bytes).name);
      if (existsSync(path)) continue;
      writeFileSync(path, bytes, { mode: 0o444 });
      written.push(path);
    }
    return manifest;
  };
  return { exporter: layoutExporter({ writeLayout }), build: builder(images), written };
}

/** Blobs of an image as buildx exports it, the manifest last. */
export function layoutOf(image: Content): {
  readonly manifest: Digest;
  readonly blobs: readonly Uint8Array[];
} {
  const config = configOf(image);
  const layers = image.layers.map((text) => Buffer.from(text));
  const describe = (bytes: Uint8Array) => ({ digest: digestOf(bytes), size: bytes.length });
  const manifest = Buffer.from(
    JSON.stringify({ config: describe(config), layers: layers.map(describe) }),
  );
  return { manifest: digestOf(manifest), blobs: [...layers, config, manifest] };
}

function builder(images: Images): ExportedDocker['build'] {
  return async (key, word): Promise<BuiltImage> => {
    const name = `quay.io/cilium/${key}:${word.slice(0, 40)}`;
    const layers = ['base', `layer ${word}`];
    images.set(name, { name, layers });
    const id = digestOf(`id of ${name}`);
    return { key, name, id, diffIds: layers.map(digestOf), platform: 'linux/amd64' };
  };
}

function imageOf(images: Images, name: string): Content {
  const image = images.get(name);
  if (image !== undefined) return image;
  throw new ShipError('build', `no such image: ${name}`);
}

function blobEntry(bytes: string | Uint8Array): Entry {
  return { name: `blobs/sha256/${hexOf(digestOf(bytes))}`, bytes: Buffer.from(bytes) };
}

function manifestOf(images: readonly Content[]): Entry {
  const list = images.map((image) => ({
    Config: blobEntry(configOf(image)).name,
    RepoTags: [image.name],
    Layers: image.layers.map((text) => blobEntry(text).name),
  }));
  return { name: 'manifest.json', bytes: Buffer.from(JSON.stringify(list)) };
}
