import { readFileSync } from 'node:fs';
import nodeModule from 'node:module';

/** Version of this package, wherever in it this file lies. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const file = nodeModule.findPackageJSON('..', import.meta.url) ?? 'package.json';
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return manifest.version;
}
