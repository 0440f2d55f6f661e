import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { removeOldest, writeNumbered } from '../../../src/system/numbered-files.ts';
import { testFolder } from '../../support/folder.ts';

describe('numbered files', () => {
  test('begin with 0001 and lie beside each other', async () => {
    const folder = join(testFolder(), 'receipts');
    const path = await writeNumbered(folder, 'json', '{}', { html: '<p>' });
    expect(path).toBe(join(folder, '0001'));
    expect(readdirSync(folder)).toEqual(['0001.html', '0001.json']);
    expect(readFileSync(`${path}.html`, 'utf8')).toBe('<p>');
  });

  test('get the number after the highest, whatever was removed', async () => {
    const folder = testFolder();
    for (const name of ['0041.json', '9999.html', 'notes.json']) {
      writeFileSync(join(folder, name), '');
    }
    expect(await writeNumbered(folder, 'json', '', {})).toBe(join(folder, '10000'));
  });

  test('never share a number, whoever writes at the same time', async () => {
    const folder = testFolder();
    const texts = Array.from({ length: 40 }, (_, index) => `run ${index}`);
    const paths = await Promise.all(
      texts.map((text) => writeNumbered(folder, 'json', text, { html: text })),
    );
    expect(new Set(paths).size).toBe(40);
    for (const [index, path] of paths.entries()) {
      const read = ['json', 'html'].map((extension) =>
        readFileSync(`${path}.${extension}`, 'utf8'),
      );
      expect(read).toEqual([texts[index], texts[index]]);
    }
    expect(readdirSync(folder)).toHaveLength(80);
  });

  test('are removed by number, the oldest first, and nothing else is', async () => {
    const folder = testFolder();
    for (const text of ['a', 'b', 'c']) await writeNumbered(folder, 'json', text, { html: text });
    for (const name of ['0001.txt', '0001.backup.json', 'notes.txt']) {
      writeFileSync(join(folder, name), '');
    }
    await removeOldest(folder, ['json', 'html'], 2);
    expect(readdirSync(folder)).toEqual([
      '0001.backup.json',
      '0001.txt',
      '0002.html',
      '0002.json',
      '0003.html',
      '0003.json',
      'notes.txt',
    ]);
  });
});
