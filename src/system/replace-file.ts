import { open, readFile, rename, rm } from 'node:fs/promises';
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
    const handle = await open(part, 'w', mode);
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
