import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import { CACHE } from './settings.ts';

const HERE = import.meta.dirname;

/**
 * Hash of files (with their names) and of strings: what a built thing depends on. It is the same
 * wherever the repository lies, so that a fresh clone finds what another one built.
 */
export function hashOf(files: readonly string[], more: readonly string[] = []): string {
  const hash = createHash('sha256');
  for (const file of files) {
    hash
      .update(`${nameOf(file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  for (const text of more) hash.update(`${text}\0`);
  return hash.digest('hex').slice(0, 16);
}

function nameOf(file: string): string {
  const path = relative(HERE, file);
  return path.startsWith('..') ? basename(file) : path;
}

/** Every file below a folder, sorted. */
export function filesBelow(folder: string): readonly string[] {
  return globSync('**/*', { cwd: folder })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile())
    .sort();
}

/**
 * Path of something built, made by `build` into a folder that becomes visible only when whole.
 *
 * @param name readable part of the folder's name
 * @param hash of everything it is built from
 */
export async function cached(
  name: string,
  hash: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(CACHE, `${name}-${hash}`);
  if (existsSync(folder)) return folder;
  const part = `${folder}.part-${process.pid}`;
  for (const old of globSync(`${folder}.part-*`)) removeAbandoned(old);
  mkdirSync(part, { recursive: true });
  await build(part);
  publish(part, folder);
  return folder;
}

/** What a build left behind that was cut short; one that still runs keeps its own. */
function removeAbandoned(part: string): void {
  const pid = Number(part.split('-').at(-1));
  if (pid === process.pid || !existsSync(`/proc/${pid}`)) rmSync(part, { recursive: true });
}

/** Another lab may have built the same meanwhile; then its copy serves. */
function publish(part: string, folder: string): void {
  try {
    renameSync(part, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(part, { recursive: true });
  }
}
