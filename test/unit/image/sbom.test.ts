import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { BlobSource, ShipImage } from '../../../src/core/image.ts';
import { readContents } from '../../../src/image/sbom/contents.ts';
import { readGoProgram } from '../../../src/image/sbom/go-build-info.ts';
import { spdxDocument } from '../../../src/image/sbom/spdx.ts';
import { tarOf, type Entry } from '../../support/saved-archive.ts';
import { digestOf, shipImage } from '../../support/values.ts';

const DPKG = `Package: zlib1g
Status: install ok installed
Maintainer: Somebody <x@example.org>
Architecture: amd64
Version: 1:1.2.13.dfsg-1
Description: a library
 that compresses

Package: gone
Status: deinstall ok config-files
Version: 1
`;
const APK = 'P:musl\nV:1.2.5-r1\nA:x86_64\nL:MIT\n\nP:busybox\nV:1.37.0-r12\nL:GPL-2.0-only\n';
const MODULES = [
  'path\tgithub.com/cilium/cilium/daemon',
  'mod\tgithub.com/cilium/cilium\t(devel)\t',
  'dep\tgolang.org/x/sys\tv0.30.0\th1:abc=',
  'dep\tgithub.com/vishvananda/netlink\tv1.3.0\th1:def=',
  '=>\tgithub.com/cilium/netlink\tv1.3.1\th1:ghi=',
  'build\t-trimpath=true',
  '',
].join('\n');

/** A program as the linker of Go leaves it, as far as it matters here. */
function goProgram(modules = MODULES, before = 70_000): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'latin1');
    return Buffer.concat([Buffer.from([(bytes.length & 0x7f) | 0x80, bytes.length >> 7]), bytes]);
  };
  const header = Buffer.alloc(32);
  header.write('\u00ff Go buildinf:', 'latin1');
  header[15] = 2;
  const marked = `${'#'.repeat(16)}${modules}${'#'.repeat(16)}`;
  const decoy = Buffer.concat([Buffer.from('\u00ff Go buildinf:', 'latin1'), Buffer.alloc(40)]);
  const parts = [Buffer.from('\u007fELF', 'latin1'), Buffer.alloc(before), decoy, header];
  return Buffer.concat([...parts, text('go1.24.3'), text(marked), Buffer.alloc(5000)]);
}

/** An image of these layers, and where they are. */
async function imageOf(...layers: readonly (readonly Entry[])[]) {
  const tars = await Promise.all(layers.map(tarOf));
  const blobs: BlobSource = {
    read: (digest) => Readable.from(tars.filter((tar) => digestOf(tar) === digest)),
  };
  const own = tars.map((tar) => ({
    kind: 'layer' as const,
    digest: digestOf(tar),
    size: tar.length,
  }));
  const image: ShipImage = { ...shipImage('cilium', ['base']), layers: own };
  return { image, blobs };
}

const file = (name: string, text: string | Buffer): Entry => ({ name, bytes: Buffer.from(text) });

async function purlsOf(...layers: readonly (readonly Entry[])[]): Promise<readonly string[]> {
  const { image, blobs } = await imageOf(...layers);
  const { packages } = await readContents(image, blobs);
  return [...packages.values()].flat().map(({ purl }) => purl);
}

describe('what an image is made of', () => {
  test('is in the list of dpkg, but for what was removed', async () => {
    const system = file('etc/os-release', 'NAME="Ubuntu"\nID=ubuntu\n');
    expect(await purlsOf([file('./var/lib/dpkg/status', DPKG), system])).toEqual([
      'pkg:deb/ubuntu/zlib1g@1%3A1.2.13.dfsg-1?arch=amd64',
    ]);
  });

  test('is in the lists of a distroless image, and in that of apk', async () => {
    const list = 'var/lib/dpkg/status.d/tzdata';
    const found = await purlsOf([
      file(list, 'Package: tzdata\nVersion: 2025b\n'),
      file(`${list}.md5sums`, 'Package: not\nVersion: one\n'),
      file('lib/apk/db/installed', APK),
    ]);
    expect(found).toEqual([
      'pkg:deb/debian/tzdata@2025b',
      'pkg:apk/alpine/musl@1.2.5-r1?arch=x86_64',
      'pkg:apk/alpine/busybox@1.37.0-r12',
    ]);
  });

  test('is in each Go program: its compiler, its own module and what it was linked with', async () => {
    const found = await readGoProgram(Readable.from([goProgram()]));
    expect(found?.map(({ purl }) => purl)).toEqual([
      'pkg:golang/stdlib@1.24.3',
      'pkg:golang/github.com/cilium/cilium@(devel)',
      'pkg:golang/golang.org/x/sys@v0.30.0',
      'pkg:golang/github.com/cilium/netlink@v1.3.1',
    ]);
  });

  test.each([1, 13, 4096])('of a program that comes in pieces of %i bytes', async (size) => {
    const bytes = goProgram(MODULES, 100);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    expect(await readGoProgram(Readable.from(pieces))).toHaveLength(4);
  });

  test.each([
    ['a text', Buffer.from('\u00ff Go buildinf: what a text says', 'latin1')],
    [
      'a program of another language',
      Buffer.concat([Buffer.from('\u007fELF', 'latin1'), Buffer.alloc(9000)]),
    ],
    ['a program that is cut off', goProgram().subarray(0, 70_120)],
    ['nothing', Buffer.alloc(0)],
  ])('is not in %s', async (_, bytes) => {
    expect(await readGoProgram(Readable.from([bytes]))).toBeUndefined();
  });

  test('does not count what a later layer replaced or removed', async () => {
    const base = [
      file('usr/bin/agent', goProgram()),
      file('usr/bin/other', goProgram()),
      file('opt/a/tool', goProgram()),
      file('lib/apk/db/installed', APK),
    ];
    const top = [
      file('usr/bin/agent', goProgram('mod\texample.org/new\tv2.0.0\t\n')),
      file('usr/bin/.wh.other', ''),
      file('opt/a/.wh..wh..opq', ''),
      file('lib/apk/.wh.db', ''),
    ];
    expect(await purlsOf(base, top)).toEqual([
      'pkg:golang/stdlib@1.24.3',
      'pkg:golang/example.org/new@v2.0.0',
    ]);
  });
});

describe('a layer that cannot be read', () => {
  test.each([
    [
      'is not there',
      async function* none() {
        yield Buffer.alloc(0);
        throw new Error('EIO: i/o error, read');
      },
    ],
    [
      'is no tar',
      async function* text() {
        yield Buffer.alloc(600, 'x');
      },
    ],
  ])('fails its image, and the process goes on: it %s', async (_, read) => {
    const { image } = await imageOf([file('etc/os-release', 'ID=ubuntu')]);
    const reading = readContents(image, { read });
    await expect(reading).rejects.toMatchObject({
      kind: 'build',
      message: expect.stringMatching(/^quay.*cilium.*: layer [0-9a-f]{12} cannot be read/),
    });
    // What nobody listens to is reported in the next turn, and would fail this test.
    await setImmediate();
  });
});

describe('the document', () => {
  test('names the image and each piece once, with where it was found', async () => {
    const { image, blobs } = await imageOf([
      file('usr/bin/a', goProgram()),
      file('usr/bin/b', goProgram()),
      file('var/lib/rpm/rpmdb.sqlite', 'x'),
    ]);
    const contents = await readContents(image, blobs);
    const created = '2026-01-01T00:00:00Z';
    const document = spdxDocument(image, contents, created) as {
      readonly packages: readonly Record<string, unknown>[];
      readonly relationships: readonly { readonly relationshipType: string }[];
    };
    expect(document).toMatchObject({
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      SPDXID: 'SPDXRef-DOCUMENT',
      creationInfo: { created, comment: expect.stringContaining('var/lib/rpm/rpmdb.sqlite') },
    });
    expect(document.packages).toHaveLength(5);
    const ids = document.packages.map(({ SPDXID }) => String(SPDXID));
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) expect(id).toMatch(/^SPDXRef-[a-zA-Z0-9.-]+$/);
    expect(document.packages[1]?.['sourceInfo']).toBe('found in /usr/bin/a, /usr/bin/b');
    const kinds = document.relationships.map(({ relationshipType }) => relationshipType);
    expect(kinds).toEqual(['DESCRIBES', ...Array.from({ length: 4 }, () => 'CONTAINS')]);
    expect(spdxDocument(image, await readContents(image, blobs), created)).toEqual(document);
  });
});
