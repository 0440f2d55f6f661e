import { readFile } from 'node:fs/promises';
import { ShipError } from '../../core/errors.ts';
import { parseUserValues } from '../../deploy/user-values.ts';
import { textAt, valueAt, type Values } from '../../deploy/tree.ts';

/**
 * The user's values as they are written; undefined without a file.
 *
 * @throws ShipError `config` when the file is missing or is not YAML
 */
export async function readUserText(file: string | undefined): Promise<Values | undefined> {
  if (file === undefined) return undefined;
  try {
    return parseUserValues(await readFile(file, 'utf8'), file);
  } catch (cause) {
    if (cause instanceof ShipError) throw cause;
    throw new ShipError('config', `${file} cannot be read`, {
      cause,
      hint: 'set deploy.values to your values file, or leave it out',
    });
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
