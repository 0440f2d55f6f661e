import { readFile } from 'node:fs/promises';
import nodeModule from 'node:module';
import { dirname, join } from 'node:path';

/** Folder of our own package, wherever in it this file lies: built or not, bundled or not. */
export const PACKAGE = dirname(nodeModule.findPackageJSON('..', import.meta.url) ?? '');

/** Text of a file that comes with ciliumship: `values/cilium-values.yaml`. */
export function readPackageFile(name: string): Promise<string> {
  return readFile(join(PACKAGE, name), 'utf8');
}
