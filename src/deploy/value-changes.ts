import { leaves, type Values } from './tree.ts';

/**
 * What an upgrade would change of the values that Helm was given last: `MTU: 1400 → 1390`.
 *
 * @param before values of the newest revision; undefined before the first install
 */
export function valueChanges(before: Values | undefined, now: Values): readonly string[] {
  const old = byPath(before ?? {});
  const wanted = byPath(now);
  return [...new Set([...old.keys(), ...wanted.keys()])].flatMap((path) => {
    const [was, is] = [old.get(path), wanted.get(path)];
    return was === is ? [] : [`${path}: ${was ?? '(none)'} → ${is ?? '(none)'}`];
  });
}

function byPath(values: Values): ReadonlyMap<string, string> {
  return new Map(
    leaves(values).map(({ path, value }) => [path.join('.'), JSON.stringify(value)] as const),
  );
}
