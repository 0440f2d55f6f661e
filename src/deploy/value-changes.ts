import { leaves, type Values } from './tree.ts';

/** Values whose names say that they are nobody else's business. */
const SECRET = /token|passw|secret|credential|private|key$/i;

/**
 * What an upgrade would change of the values that Helm was given last: `MTU: 1400 → 1390`. Values of what
 * sounds like a secret are hidden: certificates and keys are given as values too.
 *
 * @param before values of the newest revision; undefined before the first install
 */
export function valueChanges(before: Values | undefined, now: Values): readonly string[] {
  const old = byPath(before ?? {});
  const wanted = byPath(now);
  const paths = [...new Set([...old.keys(), ...wanted.keys()])];
  const changed = paths.filter((path) => old.get(path) !== wanted.get(path)).toSorted();
  return changed.map(
    (path) => `${path}: ${shown(path, old.get(path))} → ${shown(path, wanted.get(path))}`,
  );
}

function shown(path: string, value: string | undefined): string {
  if (value === undefined) return '(none)';
  return SECRET.test(path) ? '[hidden]' : value;
}

function byPath(values: Values): ReadonlyMap<string, string> {
  return new Map(
    leaves(values).map(({ path, value }) => [path.join('.'), JSON.stringify(value)] as const),
  );
}
