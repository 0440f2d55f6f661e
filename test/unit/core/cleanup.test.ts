import { expect, test } from 'vitest';
import { Cleanup } from '../../../src/core/cleanup.ts';

test('undoes everything, the newest first, and all of it although one fails', async () => {
  const undone: string[] = [];
  const cleanup = new Cleanup();
  cleanup.defer(() => undone.push('first'));
  cleanup.defer(() => {
    throw new Error('the second fails');
  });
  cleanup.use({ [Symbol.asyncDispose]: async () => void undone.push('third') });
  await expect(cleanup[Symbol.asyncDispose]()).rejects.toThrow('the second fails');
  expect(undone).toEqual(['third', 'first']);
});

test('leaves alone what was handed over', async () => {
  const undone: string[] = [];
  const cleanup = new Cleanup();
  cleanup.defer(() => undone.push('it'));
  const moved = cleanup.move();
  await cleanup[Symbol.asyncDispose]();
  expect(undone).toEqual([]);
  await moved[Symbol.asyncDispose]();
  expect(undone).toEqual(['it']);
});
