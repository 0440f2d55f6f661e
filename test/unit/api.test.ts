import { expect, test } from 'vitest';
import { runCommand } from '../../src/api.ts';

test('a command that prints text whatever it is asked for gives the text as data', async () => {
  const { exitCode, data } = await runCommand(['--help']);
  expect(exitCode).toBe(0);
  expect(data).toMatch(/^Usage: ciliumship/);
});

test('a command that fails throws nothing', async () => {
  const { exitCode, stderr } = await runCommand(['no-such-command']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('no-such-command');
});
