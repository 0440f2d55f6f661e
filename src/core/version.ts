import { readFileSync } from 'node:fs';

/** Version of this package. Works from `src` and from `dist`, which lie side by side. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return manifest.version;
}
