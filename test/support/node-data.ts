import { readFileSync } from 'node:fs';

/** What a tool of a real lab node printed: a file of test/data/node. */
export function nodeData(file: string): string {
  return readFileSync(new URL(`../data/node/${file}`, import.meta.url), 'utf8');
}
