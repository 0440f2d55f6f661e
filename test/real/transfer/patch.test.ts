import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { hexOf } from '../../../src/core/digest.ts';
import type { Blob } from '../../../src/core/image.ts';
import { CONTENT, INBOX, LAYOUT, wireName } from '../../../src/facts/node-paths.ts';
import { BASE_CHANGED, BASE_GONE, decodeCommand, WRONG_BYTES } from '../../../src/import/layout.ts';
import { compressor } from '../../../src/system/compress.ts';
import { testFolder } from '../../support/folder.ts';
import { localNode, type LocalNode } from '../../support/local-node.ts';
import { missingPart, run } from '../../support/parts.ts';
import { randomNumbers, seedOf } from '../../support/random.ts';
import { digestOf } from '../../support/values.ts';

/** The real zstd makes patches here, and the scripts of a node apply them with it. */
const missing = await missingPart('zstd', () => run(['zstd', '--version']));
const { signal } = new AbortController();
const random = randomNumbers(seedOf('patches'));

/** Bytes that do not compress: what a patch saves is what it finds in the base. */
function noise(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, () => random(256)));
}

const OLD = noise(1_000_000);
/** As a rebuilt program: moved by a few bytes, with a piece of its own in the middle. */
const NEW = Buffer.concat([
  noise(5),
  OLD.subarray(0, 400_000),
  noise(2_000),
  OLD.subarray(400_100),
]);

function layer(bytes: Buffer): Blob {
  return { kind: 'layer', digest: digestOf(bytes), size: bytes.length };
}

let node: LocalNode;
let folder: string;
beforeEach(() => {
  node = localNode();
  folder = testFolder();
});

/** A file of this machine. */
function file(name: string, bytes: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const contentOf = ({ digest }: Blob): string => node.at(`${CONTENT}/${hexOf(digest)}`);
const decodedOf = ({ digest }: Blob): string => node.at(`${LAYOUT}/blobs/sha256/${hexOf(digest)}`);

/** Makes the patch and puts it where it arrives, beside a node that has the base. */
async function receive(from: Buffer, to: Buffer): Promise<string> {
  writeFileSync(contentOf(layer(from)), from);
  const path = inboxOf(from, to);
  await compressor.patch(file('old', from), file('new', to), path, signal);
  return path;
}

function inboxOf(from: Buffer, to: Buffer): string {
  return node.at(`${INBOX}/${wireName(layer(to).digest, { base: layer(from) })}`);
}

/** @returns exit code of applying the patch as it lies in the inbox */
function apply(from: Buffer, to: Buffer): number {
  return node.run(decodeCommand(layer(to), { base: layer(from) })).code;
}

/** What is left on the node of a patch that was refused. */
function left(): readonly string[] {
  const blobs = node.at(`${LAYOUT}/blobs/sha256`);
  return [...readdirSync(node.at(INBOX)), ...(existsSync(blobs) ? readdirSync(blobs) : [])];
}

describe.skipIf(missing !== undefined)('a patch', () => {
  test('D14: makes the layer of its base, byte by byte, and leaves the inbox', async () => {
    const path = await receive(OLD, NEW);
    expect(statSync(path).size).toBeLessThan(NEW.length / 50);
    expect(apply(OLD, NEW)).toBe(0);
    expect(readFileSync(decodedOf(layer(NEW)))).toEqual(NEW);
    expect(left()).toEqual([hexOf(layer(NEW).digest)]);
    expect(readFileSync(contentOf(layer(OLD)))).toEqual(OLD);
  });

  test('is applied although its window is larger than zstd’s own limit', async () => {
    const [from, to] = [OLD, NEW].map((bytes) => Buffer.concat([Buffer.alloc(140 << 20), bytes]));
    if (from === undefined || to === undefined) throw new Error('no layers');
    await receive(from, to);
    expect(apply(from, to)).toBe(0);
    expect(digestOf(readFileSync(decodedOf(layer(to))))).toBe(layer(to).digest);
  });

  test('D14: whose base is gone is refused', async () => {
    await receive(OLD, NEW);
    rmSync(contentOf(layer(OLD)));
    expect(apply(OLD, NEW)).toBe(BASE_GONE);
    expect(left()).toEqual([]);
  });

  test('D14: whose base has one other byte is refused before zstd sees it', async () => {
    await receive(OLD, NEW);
    const other = Buffer.from(OLD);
    other.writeUInt8(other.readUInt8(500_000) ^ 1, 500_000);
    writeFileSync(contentOf(layer(OLD)), other);
    node.program('zstd', 'touch "$NODE/asked"');
    expect(apply(OLD, NEW)).toBe(BASE_CHANGED);
    expect(existsSync(node.at(`${INBOX}/../asked`))).toBe(false);
    expect(left()).toEqual([]);
  });

  test('D14: that was cut short is refused', async () => {
    const path = await receive(OLD, NEW);
    truncateSync(path, statSync(path).size - 10);
    expect(apply(OLD, NEW)).toBe(WRONG_BYTES);
    expect(left()).toEqual([]);
  });

  test('D14: of another layer under this one’s name is refused', async () => {
    await receive(OLD, NEW);
    const other = file('other', Buffer.concat([OLD, noise(10)]));
    await compressor.patch(contentOf(layer(OLD)), other, inboxOf(OLD, NEW), signal);
    expect(apply(OLD, NEW)).toBe(WRONG_BYTES);
    expect(left()).toEqual([]);
  });

  test('D13: that asks for a window of 2 GiB is refused, even for the right bytes', async () => {
    const path = await receive(OLD, NEW);
    await run(['sh', '-c', 'zstd -q --long=31 -c < "$1" > "$2"', 'wide', file('n', NEW), path]);
    expect(apply(OLD, NEW)).toBe(WRONG_BYTES);
    expect(left()).toEqual([]);
  });

  test('cannot be made when a disk lost the base meanwhile, and says so', async () => {
    const making = compressor.patch(
      join(folder, 'gone'),
      file('n', NEW),
      join(folder, 'p'),
      signal,
    );
    await expect(making).rejects.toMatchObject({ kind: 'build', retryable: true });
  });
});
