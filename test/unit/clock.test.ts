import { readdirSync, readFileSync, utimesSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ShipError } from '../../src/core/errors.ts';
import { waitFor } from '../../src/core/wait.ts';
import { openStore } from '../../src/image/store.ts';
import { testFolder } from '../support/folder.ts';

const SRC = resolve(import.meta.dirname, '../../src');
const YEAR = 365 * 24 * 60 * 60_000;

/** Where the wall clock is read for anything but a date to show, and why that decides nothing alone. */
const ALLOWED: Readonly<Record<string, string>> = {
  'commands/shared/stuck-release.ts': 'only together with --repair-release or an answer',
  'deploy/lease.ts': 'only together with the monotonic clock: a wrong one costs a renewal',
  'facts/node-facts.ts': 'the clock of a node is compared with ours, to say that it is off',
  'image/store.ts': 'only together with a process that is gone',
  'system/rates.ts': 'how fast a link was; a wrong age costs one measurement',
};

test('F53: no decision is made on the wall clock alone', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' });
  const found = files
    .filter(
      (name) => name.endsWith('.ts') && readFileSync(join(SRC, name), 'utf8').includes('Date.now('),
    )
    .toSorted();
  expect(found).toEqual(Object.keys(ALLOWED).toSorted());
});

test('F53: a wait ends after its time whatever the clock does meanwhile', async () => {
  const clock = vi.spyOn(Date, 'now').mockReturnValue(0);
  onTestFinished(() => clock.mockRestore());
  const late = (): ShipError => new ShipError('network', 'late');
  const never = async (): Promise<undefined> => undefined;
  await expect(waitFor(never, 100, AbortSignal.timeout(20_000), late)).rejects.toMatchObject({
    message: 'late',
  });
  let looks = 0;
  const third = async (): Promise<true | undefined> => {
    clock.mockReturnValue((looks += 1) * 10 * YEAR);
    return looks === 3 ? true : undefined;
  };
  await expect(waitFor(third, 60_000, AbortSignal.timeout(60_000), late)).resolves.toBe(true);
});

test('F53: what a living run unpacks stays when the clock jumps ten years', async () => {
  const folder = testFolder();
  const store = await openStore(folder);
  const living = await store.scratch();
  const dead = join(folder, 'scratch', 'part-999999999-abc');
  await mkdir(dead);
  const before = (Date.now() - 10 * YEAR) / 1000;
  for (const path of [living, dead]) utimesSync(path, before, before);
  await openStore(folder);
  expect((await stat(living)).isDirectory()).toBe(true);
  await expect(stat(dead)).rejects.toThrow('ENOENT');
});
