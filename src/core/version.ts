import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Path of our own package.json, wherever in the package this file lies: built or not, bundled or not. */
export const MANIFEST: string = manifestAbove(import.meta.dirname);

/** Version of this package. */
export const VERSION: string = readVersion();

/** Node has a function for this only since 22.14. */
function manifestAbove(folder: string): string {
  const file = join(folder, 'package.json');
  const above = dirname(folder);
  return existsSync(file) || above === folder ? file : manifestAbove(above);
}

function readVersion(): string {
  const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { readonly version: string };
  return manifest.version;
}
