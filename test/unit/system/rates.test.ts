import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { recallRate, rememberRate } from '../../../src/system/rates.ts';
import { testFolder } from '../../support/folder.ts';

const MASTER = 'root@master.example:2222';
const WORKER = '../worker';
const TELLING = { bytes: 10_000_000, seconds: 4 };

let folder: string;
beforeEach(() => {
  const state = testFolder();
  vi.stubEnv('XDG_STATE_HOME', state);
  folder = join(state, 'ciliumship', 'rates');
  return () => vi.unstubAllEnvs();
});

/** The file of the one rate that was remembered. */
function onlyFile(): string {
  const [name = ''] = readdirSync(folder);
  return join(folder, name);
}

describe('the rate of the last transfer over a link', () => {
  test('is known for an hour', async () => {
    await rememberRate(MASTER, TELLING);
    expect(await recallRate(MASTER)).toBe(2_500_000);
    const hourAgo = new Date(Date.now() - 60 * 60_000);
    utimesSync(onlyFile(), hourAgo, hourAgo);
    expect(await recallRate(MASTER)).toBeUndefined();
  });

  test('is that link’s own, however many end at once', async () => {
    await Promise.all([
      rememberRate(MASTER, TELLING),
      rememberRate(WORKER, { ...TELLING, seconds: 1 }),
    ]);
    expect(await recallRate(MASTER)).toBe(2_500_000);
    expect(await recallRate(WORKER)).toBe(10_000_000);
  });

  test('is that of the newest', async () => {
    await rememberRate(MASTER, { ...TELLING, seconds: 1 });
    await rememberRate(MASTER, TELLING);
    expect(await recallRate(MASTER)).toBe(2_500_000);
  });

  test.each([
    ['few bytes', { bytes: 999_999, seconds: 4 }],
    ['a moment', { bytes: 10_000_000, seconds: 0.99 }],
  ])('is not learnt from %s', async (_, sent) => {
    await rememberRate(MASTER, sent);
    expect(await recallRate(MASTER)).toBeUndefined();
  });

  test('is unknown when its file was half written, and the next transfer mends it', async () => {
    await rememberRate(MASTER, TELLING);
    writeFileSync(onlyFile(), '25');
    expect(await recallRate(MASTER)).toBeUndefined();
    await rememberRate(MASTER, TELLING);
    expect(await recallRate(MASTER)).toBe(2_500_000);
  });
});
