import { readFileSync } from 'node:fs';
import nodeModule from 'node:module';

/** Path of our own package.json, wherever in the package this file lies: built or not, bundled or not. */
export const MANIFEST: string = nodeModule.findPackageJSON('..', import.meta.url) ?? 'package.json';

/** Version of this package. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { readonly version: string };
  return manifest.version;
}
