import { gzipSync } from 'node:zlib';
import { NAME_ANNOTATION } from '../../../src/core/oci.ts';
import {
  blobEntry,
  inserted,
  pick,
  replaced,
  withIndex,
  withManifest,
  type Attack,
} from './entries.ts';
import { rawTar } from './raw-tar.ts';

const PAUSE = 'docker.io/rancher/mirrored-pause:3.6';
const TEXTS = ['', '{', 'null', '[]', '"x"', '{"schemaVersion":2}', '['.repeat(100_000)];

/** Honest tars of images that are not what they say. */
export const IMAGE_ATTACKS: Readonly<Record<string, Attack>> = {
  'a name more': (entries, random) =>
    rawTar(
      withIndex(entries, ({ manifests }) => {
        const other = pick(manifests, random);
        manifests.push({ ...other, annotations: { [NAME_ANNOTATION]: PAUSE } });
      }),
    ),
  'a name instead of another': (entries, random) =>
    rawTar(
      withIndex(entries, ({ manifests }) => {
        pick(manifests, random).annotations = pick(
          [{}, { [NAME_ANNOTATION]: PAUSE }, { [NAME_ANNOTATION]: '' }],
          random,
        );
      }),
    ),
  'a name twice': (entries, random) =>
    rawTar(withIndex(entries, ({ manifests }) => void manifests.push(pick(manifests, random)))),
  'a name of one image on another': (entries) =>
    rawTar(
      withIndex(entries, ({ manifests }) => {
        const [first, , third] = manifests;
        if (first === undefined || third === undefined) throw new Error('too few names');
        [first.annotations, third.annotations] = [third.annotations, first.annotations];
      }),
    ),
  'an image less': (entries, random) =>
    rawTar(withIndex(entries, ({ manifests }) => void manifests.splice(2 * random(3), 2))),
  'a descriptor that is wrong': (entries, random) =>
    rawTar(
      withIndex(entries, ({ manifests }) => {
        const one = pick(manifests, random);
        if (random(2) === 0) one.size += random(9) - 10;
        else
          one.digest = pick(['sha256:', `sha256:${'0'.repeat(64)}`, 'sha512:00', '../x'], random);
      }),
    ),
  'a layer that its manifest describes wrongly': (entries, random) =>
    rawTar(
      withManifest(entries, random, ({ layers }) => {
        pick(layers, random).size += 1 + random(1 << 20);
      }),
    ),
  'layers in another order': (entries, random) =>
    rawTar(withManifest(entries, random, ({ layers }) => void layers.push(...layers.splice(0, 1)))),
  'a layer less': (entries, random) =>
    rawTar(withManifest(entries, random, ({ layers }) => void layers.pop())),
  'a compressed layer': (entries, random) => {
    const blob = blobEntry(gzipSync(Buffer.alloc(1 << 20)));
    const changed = withManifest(entries, random, ({ layers }) => {
      layers[0] = {
        ...layers[0],
        digest: `sha256:${blob.name.slice(-64)}`,
        size: blob.bytes.length,
      };
    });
    return rawTar([blob, ...changed]);
  },
  'a manifest that is none': (entries, random) => {
    const blob = blobEntry(Buffer.from(pick(TEXTS, random)));
    const changed = withIndex(entries, ({ manifests }) => {
      const one = pick(manifests, random);
      one.digest = `sha256:${blob.name.slice(-64)}`;
      one.size = blob.bytes.length;
    });
    return rawTar([blob, ...changed]);
  },
  'an index that is none': (entries, random) =>
    rawTar(replaced(entries, 'index.json', Buffer.from(pick(TEXTS, random)))),
  'an index of very many wrong entries': (entries, random) => {
    const item = pick(['{}', '0', '[]', 'null'], random);
    const list = Array.from({ length: 300 + random(500_000) }, () => item).join();
    const text = `{"schemaVersion":2,"manifests":[${list}]}`;
    return rawTar(replaced(entries, 'index.json', Buffer.from(text)));
  },
  'an index that is too long': (entries) =>
    rawTar(replaced(entries, 'index.json', Buffer.alloc(5 << 20, ' '))),
  'another layout': (entries, random) =>
    rawTar(
      replaced(
        entries,
        'oci-layout',
        Buffer.from(pick(['{}', '{"imageLayoutVersion":"2.0.0"}'], random)),
      ),
    ),
  'a blob of other bytes': (entries, random) => {
    const blobs = entries.filter(({ name }) => name.startsWith('blobs/'));
    const { name, bytes } = pick(blobs, random);
    const at = random(bytes.length);
    const flipped = Buffer.from(bytes);
    flipped[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    return rawTar(replaced(entries, name, flipped));
  },
  'a blob that nothing names': (entries, random) =>
    rawTar(inserted(entries, random, [blobEntry(Buffer.from(`stray ${random(1000)}`))])),
};
