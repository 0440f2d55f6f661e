import { resolve } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { testFolder } from '../../support/folder.ts';

const CLI = resolve(import.meta.dirname, '../../../src/cli.ts');

/** Runs a line of bash in which `$SHIP` is the command line. */
async function bash(line: string) {
  const folder = testFolder();
  const { exitCode, stdout, stderr } = await execa('bash', ['-o', 'pipefail', '-c', line], {
    reject: false,
    stdin: 'ignore',
    cwd: folder,
    env: { SHIP: `${process.execPath} ${CLI}`, XDG_STATE_HOME: folder },
  });
  return { code: exitCode, stdout, stderr };
}

it.each([
  ['read to its first line only', '$SHIP explain | head -1', 0],
  ['closed', '$SHIP explain >&-', 0],
  ['closed, with that for errors', '$SHIP explain >&- 2>&-', 0],
  ['closed early while it fails', '$SHIP config 2>&1 | head -c 1', 2],
])('F58: an output that is %s changes no exit code', async (_, line, code) => {
  const ended = await bash(line);
  expect(ended.code, ended.stderr).toBe(code);
  expect(ended.stderr).toBe('');
});

it('F58: a result that finds no room is a failure, in words', async () => {
  const ended = await bash('$SHIP explain >/dev/full');
  expect(ended).toMatchObject({ code: 1, stderr: 'the result could not be written: ENOSPC' });
});

it('F58: errors that find no room leave the exit code', async () => {
  expect(await bash('$SHIP config 2>/dev/full')).toMatchObject({ code: 2, stdout: '' });
});

it('F58: an environment without terminal type, width or locale changes nothing', async () => {
  const ended = await bash('TERM=dumb LC_ALL=C COLUMNS=20 $SHIP explain E5');
  expect(ended).toMatchObject({ code: 0, stderr: '' });
});

it('F58: without memory it ends with a failure, never with success', async () => {
  const ended = await bash('SHIP="${SHIP/node /node --max-old-space-size=8 }"; $SHIP explain');
  expect(ended.code).not.toBe(0);
});

it('F58: without descriptors it ends with a failure or with the whole result, never in between', async () => {
  const whole = await bash('$SHIP explain');
  const codes = new Set<number | undefined>();
  for (const limit of [18, 24, 64]) {
    const { code, stdout } = await bash(`ulimit -c 0 -n ${limit}; $SHIP explain`);
    codes.add(code);
    expect(stdout).toBe(code === 0 ? whole.stdout : '');
  }
  expect(codes.size).toBeGreaterThan(1);
});
