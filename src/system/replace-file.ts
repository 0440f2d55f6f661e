import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShipError } from '../core/errors.ts';

/** Text of a file; undefined when there is none. @throws ShipError `config` when it cannot be read */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ShipError('config', `cannot read ${file}`, { cause });
  }
}

/**
 * Replaces a file: whoever reads it, and whatever happens meanwhile, finds the old text or the new
 * one (F49).
 *
 * @param mode of the file afterwards
 * @throws ShipError `config` when it cannot be written; the old text stays then
 */
export async function replaceFile(file: string, text: string, mode = 0o644): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  try {
    // Never through a link that a repository put there.
    await rm(part, { force: true });
    const handle = await open(part, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, file);
  } catch (cause) {
    await rm(part, { force: true });
    throw new ShipError('config', `cannot write ${file}`, { cause });
  }
}

/**
 * Makes git leave a folder of ours alone. What has the name already stays as it is: in a folder that
 * comes out of a repository it may be a link to any file of the user.
 */
export async function ignoreInGit(folder: string): Promise<void> {
  await writeFile(join(folder, '.gitignore'), '*\n', { flag: 'wx' }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
}
