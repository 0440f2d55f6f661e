import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { requireZstd } from '../../../src/image/zstd.ts';

test('an archive of zstd is refused under a Node that has none, with the one to install', () => {
  const { createZstdCompress: _, ...old } = zlib;
  const asking = (): void => requireZstd('images.tar.zst', old);
  expect(asking).toThrow(`images.tar.zst is zstd, which Node ${process.versions.node} lacks`);
  const hint: unknown = expect.stringContaining('Node 22.15 or newer');
  expect(asking).toThrow(expect.objectContaining({ kind: 'usage', hint }));
  expect(() => requireZstd('images.tar.zst')).not.toThrow();
});
