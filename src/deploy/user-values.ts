import { isMap, isScalar } from 'yaml';
import { ShipError } from '../core/errors.ts';
import { readYaml, type ReadYaml, type YamlProblem } from '../core/yaml.ts';
import type { Values } from './tree.ts';

/** The values of Cilium's own chart, with all their comments, are a quarter of it. */
export const MAX_VALUES = 1024 * 1024;

/** What a values file says, and where. */
export interface ReadValues {
  readonly values: Values;
  readonly lineOf: LineOf;
}

/** Where the keys of a values file stand: `hubble.relay.enabled` → its line, if it is there. */
export type LineOf = (path: string) => number | undefined;

/**
 * Reads a values file.
 *
 * @param file its path, for messages
 * @throws ShipError `config` with line and column when it is not YAML, or not a tree of keys
 */
export function readUserValues(text: string, file: string): ReadValues {
  const read = readYaml(text, MAX_VALUES);
  if ('problems' in read) throw notYaml(file, read.problems);
  const lines = linesOf(read);
  return { values: treeOf(read, file), lineOf: (path) => lines.get(path) };
}

/** The values alone. Throws as `readUserValues`. */
export function parseUserValues(text: string, file: string): Values {
  return readUserValues(text, file).values;
}

function notYaml(file: string, problems: readonly YamlProblem[]): ShipError {
  return new ShipError('config', `${file} is not YAML`, {
    details: problems.map(({ line, message }) =>
      line === undefined ? message : `line ${line}: ${message}`,
    ),
    hint: 'mend the file, then run the same command again',
  });
}

function treeOf({ value }: ReadYaml, file: string): Values {
  const values = value ?? {};
  if (typeof values === 'object' && !Array.isArray(values)) return values as Values;
  throw new ShipError('config', `${file} holds no keys: Helm values are a tree of key: value`, {
    details: [`line 1: is ${Array.isArray(values) ? 'a list' : 'plain text'}`],
    hint: 'start from values/cilium-values.yaml of ciliumship',
  });
}

function linesOf({ document, lines }: ReadYaml): ReadonlyMap<string, number> {
  const below = (node: unknown, above: readonly string[]): readonly (readonly [string, number])[] =>
    !isMap(node)
      ? []
      : node.items.flatMap(({ key, value }) => {
          if (!isScalar(key)) return [];
          const path = [...above, String(key.value)];
          const { line } = lines.linePos(key.range?.[0] ?? 0);
          return [[path.join('.'), line] as const, ...below(value, path)];
        });
  return new Map(below(document.contents, []));
}
