import { readFile, stat } from 'node:fs/promises';
import { ShipError } from '../../core/errors.ts';
import { MAX_VALUES, parseUserValues } from '../../deploy/user-values.ts';
import { textAt, valueAt, type Values } from '../../deploy/tree.ts';

/**
 * The user's values as they are written; undefined without a file.
 *
 * @throws ShipError `config` when the file is missing or is not YAML
 */
export async function readUserText(file: string | undefined): Promise<Values | undefined> {
  return file === undefined ? undefined : parseUserValues(await readValuesText(file), file);
}

/**
 * The text of a values file, measured before it is read: it may be larger than memory.
 *
 * @throws ShipError `config` when it cannot be read, or is longer than values can be
 */
export async function readValuesText(file: string): Promise<string> {
  const refused = (what: string, cause?: unknown): ShipError =>
    new ShipError('config', `cannot read the values file ${file}${what}`, {
      cause,
      hint: 'name one: --values FILE, or deploy.values, which counts from the folder of the config',
    });
  try {
    const { size } = await stat(file);
    if (size > MAX_VALUES) throw refused(`: it is ${size} bytes long, more than values can be`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw cause instanceof ShipError ? cause : refused('', cause);
  }
}

/** Each value as text; the words of a list with spaces between them. */
export function textOf(values: Values | undefined): ((path: string) => string) | undefined {
  if (values === undefined) return undefined;
  return (path) => {
    const value = valueAt(values, path);
    return Array.isArray(value) ? value.join(' ') : textAt(values, path);
  };
}
