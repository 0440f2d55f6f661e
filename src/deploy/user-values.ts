import { isMap, isScalar } from 'yaml';
import { ShipError } from '../core/errors.ts';
import { readYaml } from '../core/yaml.ts';
import type { Values } from './tree.ts';

/** The values of Cilium's own chart, with all their comments, are a quarter of it. */
export const MAX_VALUES = 1024 * 1024;

/**
 * Reads a values file.
 *
 * @param file its path, for messages
 * @throws ShipError `config` with line and column when it is not YAML, or not a tree of keys
 */
export function parseUserValues(text: string, file: string): Values {
  const read = readYaml(text, MAX_VALUES);
  if ('problems' in read) {
    throw new ShipError('config', `${file} is not YAML`, {
      details: read.problems.map(({ line, message }) =>
        line === undefined ? message : `line ${line}: ${message}`,
      ),
      hint: 'mend the file, then run the same command again',
    });
  }
  const values = read.value ?? {};
  if (typeof values === 'object' && !Array.isArray(values)) return values as Values;
  throw new ShipError('config', `${file} holds no keys: Helm values are a tree of key: value`, {
    details: [`line 1: is ${Array.isArray(values) ? 'a list' : 'plain text'}`],
    hint: 'start from values/cilium-values.yaml of ciliumship',
  });
}

/** Where the keys of a values file stand: `hubble.relay.enabled` → its line, if it is there. */
export type LineOf = (path: string) => number | undefined;

/** Finds lines in the text of a values file, which is read once, when the first is asked for. */
export function lineFinder(text: string): LineOf {
  let known: ReadonlyMap<string, number> | undefined;
  return (path) => (known ??= linesOf(text)).get(path);
}

function linesOf(text: string): ReadonlyMap<string, number> {
  const read = readYaml(text, MAX_VALUES);
  if ('problems' in read) return new Map();
  const below = (node: unknown, above: readonly string[]): readonly (readonly [string, number])[] =>
    !isMap(node)
      ? []
      : node.items.flatMap(({ key, value }) => {
          if (!isScalar(key)) return [];
          const path = [...above, String(key.value)];
          const { line } = read.lines.linePos(key.range?.[0] ?? 0);
          return [[path.join('.'), line] as const, ...below(value, path)];
        });
  return new Map(below(read.document.contents, []));
}
