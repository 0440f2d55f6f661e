import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './folders.ts';

/** As many builds or weeks as somebody goes back and forth between. */
const KEPT = 4;
const WEEK = 7 * 24 * 3600 * 1000;

/**
 * Where Node keeps what it compiled of this build. Node never removes anything there, and what other
 * files were compiled to is of no use to a new build: each build has a folder of its own, a new one
 * every week, because a program that is run from its source has no builds, and all but the newest go.
 *
 * @param entry the file that was started; a new build writes it anew
 * @returns undefined where no folder can be made
 */
export function compiledFolder(
  entry: string,
  now = new Date(),
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const all = join(cacheFolder(env), 'compiled');
  try {
    // Not when it was changed: npm says 1985 of every file of a package.
    const built = Math.floor(statSync(entry).ctimeMs);
    const folder = join(all, `${Math.floor(now.getTime() / WEEK)}-${built}`);
    // Named only when it was not there before.
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) removeOld(all, folder);
    return folder;
  } catch {
    return undefined;
  }
}

/** What another process has open there it loses, and compiles again. */
function removeOld(all: string, fresh: string): void {
  const others = readdirSync(all)
    .map((name) => join(all, name))
    .filter((path) => path !== fresh)
    .map((path) => ({ path, changed: statSync(path).mtimeMs }))
    .toSorted((one, other) => other.changed - one.changed);
  for (const { path } of others.slice(KEPT - 1)) rmSync(path, { recursive: true, force: true });
}
