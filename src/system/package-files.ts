import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Folder of our own package: this file lies two folders below it, built or not. */
export const PACKAGE = join(import.meta.dirname, '../..');

/** Text of a file that comes with ciliumship: `values/cilium-values.yaml`. */
export function readPackageFile(name: string): Promise<string> {
  return readFile(join(PACKAGE, name), 'utf8');
}
