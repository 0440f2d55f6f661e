import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../src/system/temporary-folder.ts';
import { testFolder } from '../../support/folder.ts';

const MODULE = resolve('src/system/temporary-folder.ts');

test('F7: a temporary folder is ours alone, and goes with whoever holds it', () => {
  const path = ((): string => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'kubeconfig'), 'secret');
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    return folder.path;
  })();
  expect(existsSync(path)).toBe(false);
});

test.each([
  ['its end', '', 0],
  ['an error that nobody caught', 'throw new Error("bug");', 1],
  ['a second Ctrl-C', 'process.exit(130);', 130],
])('F7: temporary folders that are held are removed by %s', async (_, last, code) => {
  const folder = testFolder();
  const script = `import { temporaryFolder } from ${JSON.stringify(MODULE)};
for (let i = 0; i < 20; i += 1) temporaryFolder();
${last}`;
  const args = ['--input-type=module', '--eval', script];
  const ended = await execa('node', args, { env: { TMPDIR: folder }, reject: false });
  expect(ended.exitCode, ended.stderr).toBe(code);
  expect(ended.stderr).not.toContain('MaxListeners');
  expect(readdirSync(folder)).toEqual([]);
});
