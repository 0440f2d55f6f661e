import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { ShipError } from '../core/errors.ts';
import { readYaml } from '../core/yaml.ts';
import type { Values } from './tree.ts';

/** The values of Cilium's own chart, with all their comments, are a quarter of it. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads a values file.
 *
 * @param file its path, for messages
 * @throws ShipError `config` with line and column when it is not YAML, or not a tree of keys
 */
export function parseUserValues(text: string, file: string): Values {
  const read = readYaml(text, MAX_BYTES);
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
    hint: 'start from values/cilium-values.yaml of ciliumship',
  });
}

/** Line of a key in the text of a values file; undefined when it is not there. */
export function lineOf(text: string, path: string): number | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false });
  const parts = path.split('.');
  const parent: unknown =
    parts.length === 1 ? document.contents : document.getIn(parts.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === parts.at(-1));
  const start = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
  return start === undefined ? undefined : lines.linePos(start).line;
}
