import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { unpackZstd } from './zstd.ts';

/** A stream whose beginning was looked at. */
export interface Peeked {
  /** All of its bytes, those that were looked at among them. */
  readonly bytes: AsyncGenerator<Uint8Array>;
  /** What makes plain bytes of them; undefined for bytes that are not compressed. */
  readonly decompress: Transform | undefined;
}

/** Reads as much of a stream as says whether it is gzip or zstd, by its first bytes. Throws as it does. */
export async function peek(source: AsyncIterable<unknown>): Promise<Peeked> {
  const chunks = (source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  let head: Uint8Array = Buffer.alloc(0);
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    if (head.length >= MAGIC) break;
  }
  return { bytes: rejoin(head, chunks), decompress: decompressorOf(head) };
}

const MAGIC = 4;
const CHUNK = 256 * 1024;

async function* rejoin(
  head: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield head;
  yield* { [Symbol.asyncIterator]: () => chunks };
}

function decompressorOf(head: Uint8Array): Transform | undefined {
  const magic = Buffer.from(head.subarray(0, MAGIC)).toString('hex');
  if (magic.startsWith('1f8b')) return zlib.createGunzip({ chunkSize: CHUNK });
  return magic === '28b52ffd' ? unpackZstd('a layer of the image', CHUNK) : undefined;
}
