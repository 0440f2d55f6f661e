import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { filesBelow, hashOf } from '../../../lab/cache.ts';

const folders: string[] = [];

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-cache-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

it('is another hash after a change of a byte, a name or a setting', () => {
  const hash = (files: Readonly<Record<string, string>>, more: readonly string[] = []) =>
    hashOf(filesBelow(folderWith(files)), more);
  const first = hash({ a: '1', 'b/c': '2' });
  expect(hash({ a: '1', 'b/c': '2' })).toBe(first);
  expect(hash({ a: '1', 'b/c': '3' })).not.toBe(first);
  expect(hash({ a: '1', 'b/d': '2' })).not.toBe(first);
  expect(hash({ a: '1', 'b/c': '2' }, ['go1.24'])).not.toBe(first);
});

it('is the same hash wherever the files lie', () => {
  const one = folderWith({ 'go.mod': 'module x' });
  const two = folderWith({});
  cpSync(one, two, { recursive: true });
  expect(hashOf(filesBelow(two))).toBe(hashOf(filesBelow(one)));
});
