import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../lab/settings.ts';

/** Where the benchmark keeps what it makes. */
export const WORK = join(CACHE, '../bench');

/** Path of a folder below it, made when missing. */
export function workFolder(name: string): string {
  const folder = join(WORK, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
