import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ShipError } from '../core/errors.ts';

/** Bytes of a file that are read at most: its end, because errors come last. */
const MOST = 4 * 1024 * 1024;

/**
 * Every plain file below a folder, in the order of their names; none when there is no such folder.
 * Links are not followed below `root`: in a folder that comes out of a repository a link may lead to
 * any file of the user.
 *
 * @param below path of the folder in `root`
 * @returns absolute paths
 */
export async function filesBelow(root: string, below: string): Promise<readonly string[]> {
  const base = await realpath(root).catch(() => root);
  const folder = join(base, below);
  if ((await realpath(folder).catch(() => undefined)) !== folder) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
}

/** The end of a plain file as text; undefined when it is a link, something else, or cannot be read. */
export async function readEnd(file: string): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return undefined;
    const start = Math.max(0, stat.size - MOST);
    const buffer = Buffer.alloc(stat.size - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    const text = buffer.toString('utf8', 0, bytesRead);
    return start === 0 ? text : `… the first ${start} bytes are left out\n${text}`;
  } finally {
    await handle.close();
  }
}

/**
 * Makes a folder of ours below one of the user's, part by part. What a repository put in its place is
 * neither written to nor cleaned up: a link may lead to any folder of the user.
 *
 * @param parts names, each below the one before
 * @param mode of what is made
 * @returns its path
 * @throws ShipError `config` when a part is a link or a file, or cannot be made
 */
export async function makeOwnFolder(
  root: string,
  parts: readonly string[],
  mode = 0o777,
): Promise<string> {
  let folder = root;
  for (const part of parts) {
    folder = join(folder, part);
    try {
      await mkdir(folder, { mode });
    } catch (cause) {
      await requireFolder(folder, cause);
    }
  }
  return folder;
}

async function requireFolder(folder: string, cause: unknown): Promise<void> {
  const found = await lstat(folder).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  if (found === undefined) throw new ShipError('config', `cannot make ${folder}`, { cause });
  const what = found.isSymbolicLink() ? 'a link' : 'no folder';
  throw new ShipError('config', `${folder} is ${what}, and nothing is written there`, {
    hint: `look where it leads, and remove it: ls -ld ${folder}`,
  });
}
