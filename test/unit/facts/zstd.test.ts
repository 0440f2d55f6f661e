import { expect, test } from 'vitest';
import { canPatch } from '../../../src/facts/zstd.ts';

test.each([
  ['*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***', true],
  ['*** zstd command line interface 64-bits v1.4.5, by Yann Collet ***', true],
  ['*** zstd command line interface 64-bits v1.4.4, by Yann Collet ***', false],
  ['*** zstd command line interface 64-bits v1.3.8, by Yann Collet ***', false],
  ['v2.0.0', true],
  ['v0.9.9', false],
  ['zstd: not found', false],
])('%s: makes and applies patches: %s', (text, can) => {
  expect(canPatch(text)).toBe(can);
});
