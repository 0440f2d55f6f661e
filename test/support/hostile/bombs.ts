import { gzipSync } from 'node:zlib';
import { blobEntry, type Attack } from './entries.ts';
import { octal, rawTar } from './raw-tar.ts';

/** What costs a reader time and room, in archives of some hundred kilobytes at most. */
export const BOMBS: Readonly<Record<string, Attack>> = {
  'very many blobs': (entries) => {
    const blobs = Array.from({ length: 1100 }, (_, index) => blobEntry(Buffer.from(String(index))));
    return gzipSync(rawTar([...blobs, ...entries]));
  },
  'a blob of 10 GiB of zeros': () => {
    const name = `blobs/sha256/${'0'.repeat(64)}`;
    const header = rawTar([{ name, size: octal('120000000000') }]).subarray(0, 512);
    return bomb(header);
  },
  '10 GiB of zeros after the end': (entries) => bomb(rawTar(entries)),
  '100 MiB of zeros after the end, in gzip': (entries) =>
    gzipSync(Buffer.concat([rawTar(entries), Buffer.alloc(100 << 20)])),
  'a zstd window of 2 GiB': () => {
    const windowOf2GiB = (31 - 10) << 3;
    return Buffer.from([...ZSTD_MAGIC, 0, windowOf2GiB, 1, 0, 0]);
  },
};

/** A zstd stream of these bytes and then 10 GiB of zeros, four bytes for each 128 KiB of them. */
function bomb(start: Buffer): Buffer {
  const windowOf8MiB = (23 - 10) << 3;
  const head = Buffer.from([...ZSTD_MAGIC, 0, windowOf8MiB]);
  const zeros = Buffer.concat([zstdBlock(RUN_OF_ONE_BYTE, 128 << 10), Buffer.alloc(1)]);
  return Buffer.concat([
    head,
    zstdBlock(RAW, start.length),
    start,
    ...Array.from({ length: 80 << 10 }, () => zeros),
  ]);
}

const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const RAW = 0;
const RUN_OF_ONE_BYTE = 1;

/** The header of a block that is not the last one. */
function zstdBlock(type: number, size: number): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1), 0, 3);
  return header;
}
