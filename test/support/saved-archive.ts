import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { hexOf } from '../../src/core/digest.ts';
import { digestOf } from './values.ts';

/** Archives as `docker save` writes them, made here so that each can be broken in one way. */

export interface Entry {
  readonly name: string;
  readonly bytes?: Uint8Array;
  /** A symbolic link to this path, seen from the entry's own folder. */
  readonly link?: string;
}

/** What an archive is made of: one image with these layers, lowest first. */
export interface Content {
  readonly name: string;
  readonly layers: readonly string[];
  readonly architecture?: string;
}

/** The bytes of an image's config. */
export function configOf({ layers, architecture = 'amd64' }: Content): Buffer {
  const rootfs = { type: 'layers', diff_ids: layers.map(digestOf) };
  return Buffer.from(JSON.stringify({ os: 'linux', architecture, rootfs }));
}

/** Docker 20.10: a folder for each layer; one that occurs again is a link to the first. */
export function classic(content: Content): readonly Entry[] {
  const config = configOf(content);
  const files = content.layers.map((text, index): Entry => {
    const first = content.layers.indexOf(text);
    const name = `layer${index}/layer.tar`;
    return first === index
      ? { name, bytes: Buffer.from(text) }
      : { name, link: `../layer${first}/layer.tar` };
  });
  const configName = `${hexOf(digestOf(config))}.json`;
  const layers = files.map(({ name }) => name);
  return [...files, { name: configName, bytes: config }, manifest(content, configName, layers)];
}

/** The containerd store: gzip layers under `blobs`, and an attestation that is no image's. */
export function containerd(content: Content): readonly Entry[] {
  const layers = content.layers.map((text) => blobEntry(gzipSync(text)));
  const config = blobEntry(configOf(content));
  const attestation = blobEntry(Buffer.from('{"mediaType":"in-toto","subject":[]}'));
  const index = { name: 'index.json', bytes: Buffer.from('{"manifests":[]}') };
  const names = layers.map(({ name }) => name);
  return [...layers, config, attestation, index, manifest(content, config.name, names)];
}

function blobEntry(bytes: Uint8Array): Entry {
  return { name: `blobs/sha256/${hexOf(digestOf(bytes))}`, bytes };
}

/** The `manifest.json` that both layouts end with. */
export function manifest(
  { name }: Pick<Content, 'name'>,
  config: string,
  layers: readonly unknown[],
): Entry {
  const text = JSON.stringify([{ Config: config, RepoTags: [name], Layers: layers }]);
  return { name: 'manifest.json', bytes: Buffer.from(text) };
}

/** A whole tar archive of these entries. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  // Otherwise two archives of the same content differ when a second passes between them.
  const mtime = new Date(0);
  for (const { name, bytes, link } of entries) {
    if (bytes !== undefined) tar.entry({ name, mtime }, Buffer.from(bytes));
    else
      tar.entry({
        name,
        mtime,
        type: 'symlink',
        ...(link === undefined ? {} : { linkname: link }),
      });
  }
  tar.finalize();
  return buffer(tar);
}

/** The same as a stream that ends after these entries, as when the sender dies between two. */
export async function cutTar(entries: readonly Entry[]): Promise<Buffer> {
  const whole = await tarOf(entries);
  return whole.subarray(0, whole.length - 1024);
}
