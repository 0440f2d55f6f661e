import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskError } from '../core/disk.ts';

/**
 * Writes a small file in one moment, so that nobody reads half of it.
 *
 * @throws ShipError `build` for a full disk
 */
export async function writeWhole(file: string, text: string): Promise<void> {
  const part = join(dirname(file), `.${process.pid}-${randomBytes(6).toString('hex')}.part`);
  try {
    await writeFile(part, text, { mode: 0o600 });
    await rename(part, file);
  } catch (error) {
    throw diskError(dirname(file), error);
  }
}
