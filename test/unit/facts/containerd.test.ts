import { describe, expect, test } from 'vitest';
import {
  parseCheck,
  parseContent,
  parseImages,
  parseServerVersion,
} from '../../../src/facts/containerd.ts';
import { PINNED_LABEL } from '../../../src/facts/node-store.ts';
import { nodeData } from '../../support/node-data.ts';

const AGENT = 'quay.io/cilium/cilium:vxlan-xdp-dev';
const MANIFEST = 'sha256:c383924d0b15865e74b1f123ab4c06d29853298fd44cf1f654cdacb5d58da08f';

describe('ctr images check', () => {
  test('says of every name what it points at, and that it is whole', () => {
    const checked = parseCheck(nodeData('ctr-1.6-images-check.txt'));
    expect(checked.size).toBe(15);
    expect(checked.get(AGENT)).toEqual({
      ref: AGENT,
      digest: MANIFEST,
      complete: true,
      unpacked: true,
    });
  });

  test('tells half an image and one without a manifest from a whole one', () => {
    const checked = parseCheck(nodeData('ctr-1.6-images-check-broken.txt'));
    const states = [...checked.values()].map(({ ref, complete, unpacked }) => [
      ref,
      complete,
      unpacked,
    ]);
    expect(states).toEqual([
      ['lab.example/gone:manifest', false, false],
      ['lab.example/half:layer', false, false],
      ['lab.example/good:1', true, true],
    ]);
  });

  test('takes a whole image that is not unpacked for what it is', () => {
    const row = `quay.io/x:1 application/vnd.oci.image.manifest.v1+json ${MANIFEST} complete (3/3) 1.0 MiB/1.0 MiB false`;
    expect(parseCheck(row).get('quay.io/x:1')).toMatchObject({ complete: true, unpacked: false });
  });

  test('knows nothing of a name that containerd could not check', () => {
    const row = `quay.io/x:1 application/vnd.oci.image.manifest.v1+json ${MANIFEST} error - false`;
    expect(parseCheck(row).size).toBe(0);
  });

  test('of a node without images is empty', () => {
    expect(parseCheck('').size).toBe(0);
  });
});

describe('ctr images ls', () => {
  test('gives the labels of a name', () => {
    const names = parseImages(nodeData('ctr-1.6-images-ls.txt'));
    expect(names.size).toBe(15);
    expect(names.get(AGENT)?.digest).toBe(MANIFEST);
    expect(names.get(AGENT)?.labels.get(PINNED_LABEL)).toBe('pinned');
  });

  test('reads a name without platform and labels', () => {
    const row = `lab.example/broken:1 application/vnd.oci.image.manifest.v1+json ${MANIFEST} 572.0 B - -`;
    expect(parseImages(row).get('lab.example/broken:1')?.labels.size).toBe(0);
  });
});

test('ctr content ls gives the digests of blobs and skips what is none', () => {
  const text = nodeData('ctr-1.6-content-ls.txt');
  expect(parseContent(`${text}a warning\n\n`).size).toBe(15);
});

describe('the version of containerd', () => {
  test('is that of the server, without the packager’s ending', () => {
    expect(parseServerVersion(nodeData('ctr-1.6-version.txt'))).toBe('1.6.20');
  });

  test('is that of K3s’s own containerd 2', () => {
    const text = 'Client:\n  Version:  v2.1.4-k3s1\n\nServer:\n  Version:  v2.1.5-k3s1\n';
    expect(parseServerVersion(text)).toBe('2.1.5');
  });

  test('is unknown when only the client answers', () => {
    expect(parseServerVersion('Client:\n  Version:  v2.1.4-k3s1\n')).toBeUndefined();
  });
});
