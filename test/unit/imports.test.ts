import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const STAGES = [
  'build',
  'image',
  'transfer',
  'import',
  'deploy',
  'cluster',
  'doctor',
  'drift',
  'init',
];
const EVERYTHING = [...STAGES, 'config', 'system', 'output', 'facts', 'core'];

/** Folder of src → the folders it may import from (docs/architecture.md). */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  facts: ['core'],
  config: ['core'],
  system: ['facts', 'core'],
  output: ['core'],
  commands: EVERYTHING,
  'api.ts': ['commands', 'core', 'output', 'config', 'system'],
  'cli.ts': ['main.ts', 'system'],
  'main.ts': ['commands', 'core', 'output', 'config'],
  ...Object.fromEntries(STAGES.map((stage) => [stage, ['facts', 'core']])),
};

/** Package → the folder of src that alone may import it. */
const OWNED: Readonly<Record<string, string>> = {
  dockerode: 'system',
  ssh2: 'system',
  execa: 'system',
  '@kubernetes/client-node': 'system',
  listr2: 'output',
};

interface Import {
  readonly file: string;
  readonly specifier: string;
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join('src', file), 'utf8');
  const found = text.matchAll(/(?:from|import|import\()\s*'([^']+)'/g);
  return [...found].map(([, specifier = '']) => ({ file, specifier }));
}

const topFolder = (path: string): string => path.split('/')[0] ?? '';

function offence({ file, specifier }: Import): string | undefined {
  const from = topFolder(file);
  if (!specifier.startsWith('.')) {
    const owner = OWNED[specifier];
    return owner === undefined || owner === from ? undefined : `${file} imports ${specifier}`;
  }
  const to = topFolder(normalize(join(dirname(file), specifier)));
  const fine = to === from || to === '..' || ALLOWED[from]?.includes(to) === true;
  return fine ? undefined : `${file} imports ${specifier}`;
}

test('folders of src import only what the architecture allows', () => {
  const files = globSync('**/*.ts', { cwd: 'src' });
  expect(files.length).toBeGreaterThan(10);
  expect(files.flatMap(importsOf).flatMap((found) => offence(found) ?? [])).toEqual([]);
});

test('a stage that imports another stage is an offence with its path', () => {
  const offending = { file: 'import/steps.ts', specifier: '../transfer/plan.ts' };
  expect(offence(offending)).toBe('import/steps.ts imports ../transfer/plan.ts');
});
