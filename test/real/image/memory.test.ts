import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { testFolder } from '../../support/folder.ts';

const LAYER = 2 * 1024 * 1024 * 1024;
const MEMORY = 300 * 1024 * 1024;

test('a layer of 2 GB goes through docker save into the store in 300 MB of memory', async () => {
  const program = fileURLToPath(import.meta.resolve('../../support/save-large.ts'));
  const { stdout } = await execa('node', [program, testFolder(), String(LAYER)]);
  const { stored, memory } = JSON.parse(stdout) as Readonly<Record<string, number>>;
  expect(stored).toBe(LAYER);
  expect(memory).toBeLessThan(MEMORY);
});
