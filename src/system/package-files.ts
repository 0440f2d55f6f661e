import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MANIFEST } from '../core/version.ts';

/** Folder of our own package. */
export const PACKAGE = dirname(MANIFEST);

/** Text of a file that comes with ciliumship: `values/cilium-values.yaml`. */
export function readPackageFile(name: string): Promise<string> {
  return readFile(join(PACKAGE, name), 'utf8');
}
