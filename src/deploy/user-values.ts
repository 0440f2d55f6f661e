import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { ShipError } from '../core/errors.ts';
import type { Values } from './tree.ts';

/**
 * Reads a values file.
 *
 * @param file its path, for messages
 * @throws ShipError `config` with line and column when it is not YAML, or not a tree of keys
 */
export function parseUserValues(text: string, file: string): Values {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    throw new ShipError('config', `${file} is not YAML`, {
      details: document.errors
        .slice(0, 5)
        .map(({ message }) => message.split('\n\n')[0] ?? message),
      hint: 'mend the file, then run the same command again',
    });
  }
  const values: unknown = document.toJS() ?? {};
  if (typeof values === 'object' && values !== null && !Array.isArray(values))
    return values as Values;
  throw new ShipError('config', `${file} holds no keys: Helm values are a tree of key: value`, {
    hint: 'start from values/cilium-values.yaml of ciliumship',
  });
}

/** Line of a key in the text of a values file; undefined when it is not there. */
export function lineOf(text: string, path: string): number | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const parts = path.split('.');
  const parent: unknown =
    parts.length === 1 ? document.contents : document.getIn(parts.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === parts.at(-1));
  const start = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
  return start === undefined ? undefined : lines.linePos(start).line;
}
