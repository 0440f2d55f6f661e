import { describe, expect, test } from 'vitest';
import { parseCriImages } from '../../../src/facts/cri.ts';
import { parseFree } from '../../../src/facts/disk.ts';
import { parseLinks } from '../../../src/facts/links.ts';
import { nodeData } from '../../support/node-data.ts';

describe('crictl images', () => {
  test('gives the config digest of an image with all its names', () => {
    const images = parseCriImages(nodeData('crictl-images.txt'));
    const agent = images.find(({ names }) => names.some((name) => name.includes('cilium:vxlan')));
    expect(agent).toEqual({
      id: 'sha256:505425667fe8cb6deafead12a81ee0020b69e1bb37297a65bdb8884556a065e5',
      names: [
        'quay.io/cilium/cilium:vxlan-xdp-dev',
        'quay.io/cilium/cilium:vxlan-xdp-dev-505425667fe8',
      ],
      digests: [],
      pinned: false,
      size: 119_492_105,
    });
  });

  test('gives the manifests that an image was pulled by', () => {
    const repoDigests = ['quay.io/a@sha256:1', 'localhost:5000/a@sha256:2'];
    const text = JSON.stringify({ images: [{ id: 'sha256:c', repoDigests }] });
    expect(parseCriImages(text)[0]?.digests).toEqual(['sha256:1', 'sha256:2']);
  });

  test('says that an image is pinned only when the CRI does', () => {
    const image = { id: 'sha256:1', repoTags: ['a:1'], pinned: true };
    const text = JSON.stringify({ images: [image, { ...image, pinned: 'yes' }] });
    expect(parseCriImages(text).map(({ pinned }) => pinned)).toEqual([true, false]);
  });

  test('of an empty node is an empty list', () => {
    expect(parseCriImages('{}')).toEqual([]);
  });

  test.each(['', 'FATA[0002] no connection', 'null', '{"images":{}}', '{"images":[null]}'])(
    'that print %j are an error of the node, not a bug',
    (text) => {
      expect(() => parseCriImages(text)).toThrowError(
        expect.objectContaining({ name: 'ShipError', kind: 'storage' }),
      );
    },
  );
});

describe('df', () => {
  test('gives the bytes that are free, not those of the whole disk', () => {
    expect(parseFree(nodeData('df.txt'))).toBe(69_100_572_672);
  });

  test.each(['', 'df: /var/lib/rancher/k3s: No such file or directory', 'a b c d e f'])(
    'that prints %j is an error of the node',
    (text) => {
      expect(() => parseFree(text)).toThrowError(expect.objectContaining({ kind: 'storage' }));
    },
  );
});

describe('ip -j -d link', () => {
  const links = new Map(parseLinks(nodeData('ip-link.txt')).map((link) => [link.name, link]));

  test('shows the mode of an XDP program and its name', () => {
    expect(links.get('eth1')?.xdp).toEqual({ mode: 'native', program: 'cil_xdp_entry' });
  });

  test('shows no program where there is none', () => {
    expect(links.get('em2')).toMatchObject({ mtu: 1500, xdp: undefined });
  });

  test('gives the MTU of the tunnel', () => {
    expect(links.get('cilium_vxlan')?.mtu).toBe(1400);
  });

  test.each([
    [2, 'generic'],
    [3, 'offload'],
  ])('knows attachment %i as %s', (mode, name) => {
    const text = JSON.stringify([{ ifname: 'eth0', mtu: 1500, xdp: { mode } }]);
    expect(parseLinks(text)[0]?.xdp).toEqual({ mode: name, program: '' });
  });

  test('passes over the empty entries that iproute2 leaves for filtered links', () => {
    expect(parseLinks('[{},{"ifname":"eth0","mtu":1500}]').map(({ name }) => name)).toEqual([
      'eth0',
    ]);
  });

  test.each(['', 'Object "link" is unknown', '[{"ifname":"eth0","mtu":"large"}]'])(
    'that prints %j is an error of the node',
    (text) => {
      expect(() => parseLinks(text)).toThrowError(expect.objectContaining({ kind: 'storage' }));
    },
  );
});
