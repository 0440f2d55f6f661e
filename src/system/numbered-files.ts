import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder of files whose names are numbers that grow: `0001.json` and `0001.html` belong together. */

/**
 * Writes a set of files under the next number. Two processes never get the same one, and no reader
 * ever sees half a file.
 *
 * @param extension of the file whose name takes the number: no other file of the set is written
 * before it
 * @param others extension → text of the files beside it
 * @returns the path without its extension
 */
export async function writeNumbered(
  folder: string,
  extension: string,
  text: string,
  others: Readonly<Record<string, string>>,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = await takeNumber(folder, extension, text);
  for (const [other, content] of Object.entries(others)) {
    await rename(await scratchFile(folder, content), `${path}.${other}`);
  }
  return path;
}

/** A hard link is made only where no file of that name is, and with all of its bytes at once. */
async function takeNumber(folder: string, extension: string, text: string): Promise<string> {
  const scratch = await scratchFile(folder, text);
  try {
    for (let number = (await lastNumber(folder)) + 1; ; number += 1) {
      const path = join(folder, String(number).padStart(4, '0'));
      if (await isLinked(scratch, `${path}.${extension}`)) return path;
    }
  } finally {
    await rm(scratch, { force: true });
  }
}

async function scratchFile(folder: string, text: string): Promise<string> {
  const path = join(folder, `.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  await writeFile(path, text);
  return path;
}

async function isLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function lastNumber(folder: string): Promise<number> {
  return Math.max(0, ...(await numbersIn(folder)));
}

async function numbersIn(folder: string): Promise<readonly number[]> {
  return (await readdir(folder)).flatMap((name) => numberOf(name) ?? []);
}

function numberOf(name: string): number | undefined {
  const digits = /^(\d{4,9})\./.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * @param number of the file; the highest when not given
 * @returns its path; undefined when there is none
 */
export async function findNumbered(
  folder: string,
  extension: string,
  number?: number,
): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const found = names
    .filter((name) => name.endsWith(`.${extension}`))
    .map((name) => ({ name, number: numberOf(name) }))
    .filter((file) => file.number !== undefined && file.number === (number ?? file.number))
    .toSorted((a, b) => (b.number ?? 0) - (a.number ?? 0))[0];
  return found === undefined ? undefined : join(folder, found.name);
}

/**
 * Removes the files of all but the `kept` highest numbers.
 *
 * @param extensions of the set: what else has a number is not ours
 */
export async function removeOldest(
  folder: string,
  extensions: readonly string[],
  kept: number,
): Promise<void> {
  const own = (await readdir(folder)).filter((name) =>
    extensions.includes(/^\d+\.([^.]+)$/.exec(name)?.[1] ?? ''),
  );
  const numbers = [...new Set(own.flatMap((name) => numberOf(name) ?? []))];
  const old = new Set(numbers.toSorted((a, b) => b - a).slice(kept));
  const names = own.filter((name) => old.has(numberOf(name) ?? -1));
  await Promise.all(names.map((name) => rm(join(folder, name), { force: true })));
}
