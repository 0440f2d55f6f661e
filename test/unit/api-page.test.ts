import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('the page for scripts names everything that the package exports', () => {
  const source = readFileSync('src/api.ts', 'utf8');
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = '']) =>
    names.split(','),
  );
  const own = [...source.matchAll(/^export (?:async function|interface) (\w+)/gm)];
  const names = [...lists, ...own.map(([, name = '']) => name)].map((name) =>
    name.replace(/^\s*type /, '').trim(),
  );
  const page = readFileSync('docs/api.md', 'utf8');
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(page).toMatch(new RegExp(`\\b${name}\\b`));
});
