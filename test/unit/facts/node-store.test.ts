import { assert, constantFrom, property, stringMatching, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/core/digest.ts';
import type { ImageProof } from '../../../src/core/image.ts';
import {
  isProved,
  PINNED_LABEL,
  proofOf,
  qualified,
  runsAsNamed,
  type NodeStore,
} from '../../../src/facts/node-store.ts';
import { digestOf, EMPTY_NODE, nodeWith, shipImage } from '../../support/values.ts';

describe('the full form of a reference', () => {
  test.each([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['docker.io/busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['rancher/mirrored-pause:3.6', 'docker.io/rancher/mirrored-pause:3.6'],
    ['quay.io/cilium/cilium:dev', 'quay.io/cilium/cilium:dev'],
    ['quay.io/cilium/cilium', 'quay.io/cilium/cilium:latest'],
    ['docker.io/rancher/mirrored-pause:3.6', 'docker.io/rancher/mirrored-pause:3.6'],
    ['localhost/cilium:dev', 'localhost/cilium:dev'],
    ['localhost:5000/cilium', 'localhost:5000/cilium:latest'],
  ])('of %s is %s', (name, full) => {
    expect(qualified(name)).toBe(full);
  });

  test('is its own full form', () => {
    const word = stringMatching(/^[a-z0-9]{1,8}$/);
    const name = tuple(
      constantFrom('', 'quay.io/', 'docker.io/', 'localhost:5000/'),
      word,
      word,
    ).map(([host, repository, tag]) => `${host}${repository}:${tag}`);
    assert(
      property(name, (text) => {
        expect(qualified(qualified(text))).toBe(qualified(text));
      }),
    );
  });
});

const IMAGE = shipImage('cilium', ['base', 'agent']);
const WHOLE = nodeWith([IMAGE]);

/** The whole node with one name of the image changed. */
function withName(name: string, change: object): NodeStore {
  const ref = qualified(name);
  const seen = WHOLE.checked.get(ref);
  if (seen === undefined) throw new Error(`no ${ref}`);
  return { ...WHOLE, checked: new Map([...WHOLE.checked, [ref, { ...seen, ...change }]]) };
}

describe('the proof of an image', () => {
  test('holds for a node that has both names, all blobs and the CRI’s word', () => {
    const proof = proofOf(WHOLE, IMAGE);
    expect(proof).toMatchObject({ complete: true, unpacked: true, pinned: 'pinned', cri: true });
    expect(proof?.config).toBe(IMAGE.config.digest);
    expect(isProved(proof)).toBe(true);
  });

  test('does not exist on a node without the image', () => {
    expect(proofOf(EMPTY_NODE, IMAGE)).toBeUndefined();
    expect(isProved(undefined)).toBe(false);
  });

  test.each([IMAGE.name, IMAGE.digestName])(
    'F33: does not exist when %s points elsewhere',
    (name) => {
      expect(proofOf(withName(name, { digest: digestOf('other') }), IMAGE)).toBeUndefined();
    },
  );

  test.each([IMAGE.name, IMAGE.digestName])(
    'F34: fails when %s is half or not unpacked',
    (name) => {
      expect(isProved(proofOf(withName(name, { complete: false }), IMAGE))).toBe(false);
      expect(isProved(proofOf(withName(name, { unpacked: false }), IMAGE))).toBe(false);
    },
  );

  test('fails while the CRI has not seen the name that pods use', () => {
    const [seen] = WHOLE.cri;
    const cri = [{ id: IMAGE.config.digest, pinned: true, size: 0, ...seen, names: [IMAGE.name] }];
    expect(isProved(proofOf({ ...WHOLE, cri }, IMAGE))).toBe(false);
  });
});

describe('a container runs what its node has under its name', () => {
  const [cri] = WHOLE.cri;
  const pulled = digestOf('the manifest of a registry');
  const older = { ...cri!, id: digestOf('older'), names: [], digests: [digestOf('of older')] };
  const store = { ...WHOLE, cri: [older, { ...cri!, digests: [pulled] }] };
  const runs = (imageId: Digest | undefined, byManifest = false): boolean =>
    runsAsNamed(store, { image: IMAGE.name, imageId, byManifest });

  test('by its config, or by the manifest that it was pulled by', () => {
    expect(runs(IMAGE.config.digest)).toBe(true);
    expect(runs(pulled, true)).toBe(true);
  });

  test('and not when it is of another image, or runs nothing', () => {
    expect(runs(digestOf('older'))).toBe(false);
    expect(runs(digestOf('of older'), true)).toBe(false);
    expect(runs(undefined)).toBe(false);
  });

  test('as far as anybody can tell', () => {
    expect(runs(digestOf('of nobody'), true)).toBe(true);
    expect(runsAsNamed(store, { image: 'other:1', imageId: digestOf('x') })).toBe(true);
    expect(runsAsNamed(undefined, { image: IMAGE.name, imageId: digestOf('x') })).toBe(true);
  });
});

describe('the pin of an image', () => {
  const cri = WHOLE.cri.map((image) => ({ ...image, pinned: false }));
  const pinOf = (more: Partial<NodeStore>): ImageProof['pinned'] | undefined =>
    proofOf({ ...WHOLE, cri, ...more }, IMAGE)?.pinned;

  test('that containerd 1.6 keeps and does not look at is a warning, and proved', () => {
    expect(pinOf({ containerd: '1.6.20' })).toBe('pin not honoured by containerd 1.6');
    expect(isProved(proofOf({ ...WHOLE, cri, containerd: '1.6.20' }, IMAGE))).toBe(true);
  });

  test('that a newer containerd does not report is missing', () => {
    expect(pinOf({})).toBe('unpinned');
    expect(isProved(proofOf({ ...WHOLE, cri }, IMAGE))).toBe(false);
  });

  test('is missing on containerd 1.6 when one of the two names lacks the label', () => {
    const ref = qualified(IMAGE.name);
    const bare = { ref, digest: IMAGE.manifest.digest, labels: new Map([[PINNED_LABEL, '']]) };
    const images = new Map([...WHOLE.images, [ref, bare]]);
    expect(pinOf({ containerd: '1.6.20', images })).toBe('unpinned');
  });
});
