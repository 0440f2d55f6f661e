/** Texts that are made to take a reader long, or much memory; any of the files that users hand us. */

const many = (line: (index: number) => string, count: number): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

const bomb = many((i) => `x${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`, 9);

const ANY: Readonly<Record<string, string>> = {
  'lists in lists': `a: ${'['.repeat(90_000)}`,
  'trees in trees': `a: ${'{a: '.repeat(20_000)}`,
  'an alias bomb': `x0: &a0 [lol]\n${bomb}`,
  'an alias into itself': 'nodes: &a { b: *a }',
  'a key again and again': 'a: 1\n'.repeat(15_000),
  'tags that nobody knows': many((i) => `k${i}: !t${i} x`, 8000),
  'anchors without an end': many((i) => `k${i}: &a${i} x`, 8000),
  'what is no YAML, line after line': many(() => '}]: [{', 15_000),
  'steps down without an end': many((i) => `${' '.repeat(i)}a:`, 400),
  quotes: '"'.repeat(90_000),
  'bytes that are no text': '\0'.repeat(90_000),
};

const CONFIG: Readonly<Record<string, string>> = {
  'wrong nodes': `version: 1\nsource: .\nnodes:\n${many((i) => `  n${i}: { rle: agent }`, 2500)}`,
  '256 nodes far from each other': `version: 1\nsource: .\nnodes:\n${many((i) => `  n${i}: { ssh: a${i}, role: server, dataAddress: 10.${i}.0.1/24 }`, 256)}`,
  'unknown keys': many((i) => `key${i}: 1`, 8000),
};

const VALUES: Readonly<Record<string, string>> = {
  'a long key above many': `? ${'a'.repeat(400_000)}\n:\n${many((i) => `  k${i}: 1`, 6000)}`,
  'a long way down to many': `${many((i) => `${' '.repeat(i)}${'a'.repeat(1000)}:`, 60)}\n${many((i) => `${' '.repeat(60)}k${i}: 1`, 6000)}`,
  'a large tree again and again': `x: &x\n${many((i) => `  k${i}: 1`, 6000)}\n${many((i) => `b${i}: *x`, 99)}`,
  'unknown keys': many((i) => `key${i}: 1`, 40_000),
  'unknown keys in known ones': `hubble:\n  relay:\n${many((i) => `    key${i}: 1`, 25_000)}`,
  'unknown keys, as many as are read': many((i) => `key${i}: 1`, 7000),
  'values in brackets, as many as are read': `devices: {${many((i) => `k${i},`, 12_000)}}`,
  'devices that are none': `devices: [${'"00:00:00:00:00:00",'.repeat(20_000)}]`,
};

const LOCK: Readonly<Record<string, string>> = {
  'unknown keys, as many as are read': many((i) => `key${i}: 1`, 7000),
  'unknown keys': many((i) => `key${i}: 1`, 80_000),
  'nodes of another kind': `version: 1\nimages: {}\nnodes:\n${many((i) => `- { a: ${i} }`, 60_000)}`,
  'images without digests': `version: 1\nnodes: []\nimages:\n${many((i) => `  i${i}: { name: x }`, 40_000)}`,
};

export const HOSTILE = {
  config: { ...ANY, ...CONFIG },
  values: { ...ANY, ...VALUES },
  lock: { ...ANY, ...LOCK },
} as const;
