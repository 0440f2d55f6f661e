import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { hexOf } from '../../../src/core/digest.ts';
import { INBOX, LAYOUT, NODE_FOLDER, wireName } from '../../../src/facts/node-paths.ts';
import { decodeCommand, NO_SPACE, WRONG_BYTES } from '../../../src/import/layout.ts';
import { localNode, type LocalNode } from '../../support/local-node.ts';
import { blob } from '../../support/values.ts';

const LAYER = blob('layer', 'the bytes of a layer\0with a NUL\n');
const BYTES = Buffer.from('the bytes of a layer\0with a NUL\n');
const BLOBS = `${LAYOUT}/blobs/sha256`;
const FINAL = `${BLOBS}/${hexOf(LAYER.digest)}`;

type Form = 'zstd' | 'gzip' | 'plain';

let node: LocalNode;
beforeEach(() => {
  node = localNode();
  // This machine may have no zstd; what counts is that the script decodes with it.
  node.program('zstd', '[ "$1" = -dcq ] && exec gzip -dc');
});

function receive(form: Form, bytes: Uint8Array): string {
  const path = node.at(`${INBOX}/${wireName(LAYER.digest, form)}`);
  writeFileSync(path, bytes);
  return path;
}

/** What lies among the blobs of the layout. */
function decoded(): readonly string[] {
  return existsSync(node.at(BLOBS)) ? readdirSync(node.at(BLOBS)) : [];
}

describe.each([
  ['zstd', gzipSync(BYTES)],
  ['gzip', gzipSync(BYTES)],
  ['plain', BYTES],
] as const)('a blob that came as %s', (form, wire) => {
  test('D11: is decoded under its digest, for root only, and leaves the inbox', () => {
    const received = receive(form, wire);
    expect(node.run(decodeCommand(LAYER, form))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(node.at(FINAL))).toEqual(BYTES);
    expect(statSync(node.at(FINAL)).mode & 0o777).toBe(0o600);
    expect(existsSync(received)).toBe(false);
  });

  test('with other bytes is refused and removed, so that it is sent anew', () => {
    const received = receive(form, form === 'plain' ? Buffer.from('other') : gzipSync('other'));
    expect(node.run(decodeCommand(LAYER, form)).code).toBe(WRONG_BYTES);
    expect(decoded()).toEqual([]);
    expect(existsSync(received)).toBe(false);
  });

  test('and was cut short is refused and removed', () => {
    const received = receive(form, wire.subarray(0, wire.length / 2));
    expect(node.run(decodeCommand(LAYER, form)).code).toBe(WRONG_BYTES);
    expect(decoded()).toEqual([]);
    expect(existsSync(received)).toBe(false);
  });
});

test.each([
  ['openssl', 'sha256sum'],
  ['sha256sum', 'openssl'],
])('D11: is hashed by %s where there is no %s', (_there, missing) => {
  node.program(missing, 'exit 127');
  receive('plain', BYTES);
  expect(node.run(decodeCommand(LAYER, 'plain')).code).toBe(0);
  writeFileSync(node.at(FINAL), 'damaged');
  expect(node.run(decodeCommand(LAYER, 'plain')).code).toBe(WRONG_BYTES);
});

test('a blob that was decoded before is left as it is', () => {
  mkdirSync(node.at(BLOBS), { recursive: true });
  writeFileSync(node.at(FINAL), BYTES);
  expect(node.run(decodeCommand(LAYER, 'gzip')).code).toBe(0);
  expect(readFileSync(node.at(FINAL))).toEqual(BYTES);
});

test('what an interrupted run left half decoded does no harm', () => {
  mkdirSync(node.at(BLOBS), { recursive: true });
  writeFileSync(
    node.at(`${FINAL}.4711.part`),
    'half of an earlier run, and longer than the blob itself',
  );
  receive('plain', BYTES);
  expect(node.run(decodeCommand(LAYER, 'plain')).code).toBe(0);
  expect(readFileSync(node.at(FINAL))).toEqual(BYTES);
  expect(decoded()).toEqual([hexOf(LAYER.digest)]);
});

test('a blob that never came is another failure than wrong bytes', () => {
  expect(node.run(decodeCommand(LAYER, 'plain')).code).toBe(66);
});

test('a blob that an earlier run left damaged is removed, and asked for again', () => {
  mkdirSync(node.at(BLOBS), { recursive: true });
  writeFileSync(node.at(FINAL), 'half');
  expect(node.run(decodeCommand(LAYER, 'gzip')).code).toBe(WRONG_BYTES);
  expect(existsSync(node.at(FINAL))).toBe(false);
});

test('a damaged one is replaced at once by a fresh copy that came', () => {
  mkdirSync(node.at(BLOBS), { recursive: true });
  writeFileSync(node.at(FINAL), 'half');
  receive('gzip', gzipSync(BYTES));
  expect(node.run(decodeCommand(LAYER, 'gzip')).code).toBe(0);
  expect(readFileSync(node.at(FINAL))).toEqual(BYTES);
});

test('a whole blob of an earlier run makes what came again superfluous', () => {
  mkdirSync(node.at(BLOBS), { recursive: true });
  writeFileSync(node.at(FINAL), BYTES);
  const received = receive('gzip', gzipSync('other'));
  expect(node.run(decodeCommand(LAYER, 'gzip')).code).toBe(0);
  expect(existsSync(received)).toBe(false);
});

test('a stream that lost its trailer is good: the bytes themselves are right', () => {
  receive('gzip', gzipSync(BYTES).subarray(0, -8));
  expect(node.run(decodeCommand(LAYER, 'gzip')).code).toBe(0);
  expect(readFileSync(node.at(FINAL))).toEqual(BYTES);
});

describe('what is no plain file is not opened, and removed:', () => {
  test.each<[string, (path: string) => void]>([
    ['a link to a file, even to the right bytes', (path) => symlinkSync(rightBytes(), path)],
    ['a FIFO that nobody writes to', (path) => spawnSync('mkfifo', [path])],
    ['a folder', (path) => mkdirSync(path)],
  ])('%s', (_, make) => {
    const received = receive('plain', BYTES);
    rmSync(received);
    make(received);
    expect(lstatSync(received).isFile()).toBe(false);
    expect(node.run(decodeCommand(LAYER, 'plain')).code).toBe(WRONG_BYTES);
    expect(lstatSync(received, { throwIfNoEntry: false })).toBeUndefined();
    expect(decoded()).toEqual([]);
  });

  function rightBytes(): string {
    const path = node.at(`${NODE_FOLDER}/elsewhere`);
    writeFileSync(path, BYTES);
    return path;
  }
});

test.each(['zstd', 'gzip'] as const)(
  'D13: a %s bomb is cut a byte after the blob’s end',
  (form) => {
    const received = receive(form, gzipSync(Buffer.alloc(50_000_000)));
    node.program('openssl', 'exit 1');
    node.program('sha256sum', 'wc -c > "$NODE/seen"; echo none');
    expect(node.run(decodeCommand(LAYER, form)).code).toBe(WRONG_BYTES);
    expect(Number(readFileSync(node.at(`${NODE_FOLDER}/seen`), 'utf8'))).toBe(LAYER.size + 1);
    expect(decoded()).toEqual([]);
    expect(existsSync(received)).toBe(false);
  },
);

describe('a blob that cannot be written', () => {
  /** A disk that takes no more, with so many bytes free. */
  function failOn(free: number): void {
    node.program('head', 'echo half; exit 1');
    node.program('df', `echo h; echo "/dev/x 9 9 ${free} 100% /"`);
  }

  test('for want of room stays in the inbox: its bytes may be right', () => {
    failOn(LAYER.size);
    const received = receive('plain', BYTES);
    expect(node.run(decodeCommand(LAYER, 'plain')).code).toBe(NO_SPACE);
    expect(readFileSync(received)).toEqual(BYTES);
    expect(decoded()).toEqual([]);
  });

  test('although there is room is sent anew', () => {
    failOn(LAYER.size + 1);
    const received = receive('plain', BYTES);
    expect(node.run(decodeCommand(LAYER, 'plain')).code).toBe(WRONG_BYTES);
    expect(existsSync(received)).toBe(false);
    expect(decoded()).toEqual([]);
  });
});
