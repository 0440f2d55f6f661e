import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compiledFolder } from '../../../src/system/compiled.ts';
import { testFolder } from '../../support/folder.ts';

const DAY = 24 * 3600 * 1000;
const FIRST = Date.UTC(2026, 0, 1);

function setUp() {
  const home = testFolder();
  const entry = join(home, 'cli.js');
  writeFileSync(entry, '');
  const at = (days: number) =>
    compiledFolder(entry, new Date(FIRST + days * DAY), { XDG_CACHE_HOME: home });
  return { all: join(home, 'ciliumship', 'compiled'), at, home };
}

describe('what Node keeps compiled', () => {
  test('stays for a build while a week lasts', () => {
    const { at, all } = setUp();
    const folder = at(0) ?? '';
    writeFileSync(join(folder, 'kept'), '');
    expect(at(1)).toBe(folder);
    expect(readdirSync(all, { recursive: true })).toContain(
      join(folder.slice(all.length + 1), 'kept'),
    );
  });

  test('is bounded: of more than four folders the oldest go, whatever is in them', () => {
    const { at, all } = setUp();
    const older = join(all, 'v24.0.0-x64-of-an-older-version');
    mkdirSync(join(older, 'deep'), { recursive: true });
    utimesSync(older, 0, 0);
    const folders = [1, 2, 3, 4, 5].map((week) => {
      const folder = at(7 * week) ?? '';
      utimesSync(folder, week, week);
      return folder.slice(all.length + 1);
    });
    expect(readdirSync(all).toSorted()).toEqual(folders.slice(1).toSorted());
  });

  test('is nowhere where no folder can be made', () => {
    const { home } = setUp();
    const env = { XDG_CACHE_HOME: join(home, 'cli.js') };
    expect(compiledFolder(join(home, 'cli.js'), new Date(FIRST), env)).toBeUndefined();
  });
});
