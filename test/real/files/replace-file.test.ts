import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { replaceFile } from '../../../src/system/replace-file.ts';
import { until } from '../../support/parts.ts';
import { randomNumbers, seedOf } from '../../support/random.ts';

const folder = mkdtempSync(join(tmpdir(), 'ciliumship-replace-'));
const file = join(folder, 'ciliumship.lock');
const TEXTS = ['a', 'b'].map((letter) => `${letter.repeat(200_000)}\n`);
const MODULE = resolve(import.meta.dirname, '../../../src/system/replace-file.ts');

/** Writes the two texts in turn for as long as it lives. */
const WRITER = `
  import { replaceFile } from '${MODULE}';
  for (let turn = 0; ; turn += 1) {
    await replaceFile(process.argv[1], (turn % 2 ? 'a' : 'b').repeat(200_000) + '\\n');
    if (turn === 0) console.log('writing');
  }`;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a file that is replaced', () => {
  test('F49, D24: holds the old text or the new one, whenever its writer is killed', async () => {
    const random = randomNumbers(seedOf('replace'));
    writeFileSync(file, TEXTS[0] ?? '');
    for (let round = 0; round < 20; round += 1) {
      const args = ['--input-type=module-typescript', '--eval', WRITER, file];
      const writer = execa('node', args, { reject: false });
      let seen = '';
      writer.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      await until('the writer writes', 20, () => seen.includes('writing'));
      const delay = random(20);
      await new Promise((done) => setTimeout(done, delay));
      writer.kill('SIGKILL');
      await writer;
      expect(TEXTS).toContain(readFileSync(file, 'utf8'));
    }
  });

  test('F49: stays as it was when the new text cannot be written', async () => {
    const inside = join(folder, 'no-such-folder', 'ciliumship.lock');
    await expect(replaceFile(inside, 'new')).rejects.toMatchObject({ kind: 'config' });
    expect(readdirSync(folder).some((name) => name.startsWith('no-such'))).toBe(false);
  });
});
