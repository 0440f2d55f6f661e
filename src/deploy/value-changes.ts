import { hideSecrets } from '../core/secret-values.ts';
import { shortened } from '../core/text.ts';
import { isTree, leaves, type Values } from './tree.ts';

/** Characters of one value; lists are values too. */
const LONGEST = 200;

/**
 * What an upgrade would change of the values that Helm was given last: `MTU: 1400 → 1390`. Secrets are
 * hidden, also within lists: certificates and keys are given as values too.
 *
 * @param before values of the newest revision; undefined before the first install
 */
export function valueChanges(before: Values | undefined, now: Values): readonly string[] {
  const old = byPath(before ?? {});
  const wanted = byPath(now);
  const [oldShown, shown] = [byPath(open(before ?? {})), byPath(open(now))];
  const paths = [...new Set([...old.keys(), ...wanted.keys()])];
  const changed = paths.filter((path) => old.get(path) !== wanted.get(path)).toSorted();
  return changed.map((path) => `${path}: ${textAt(oldShown, path)} → ${textAt(shown, path)}`);
}

function textAt(values: ReadonlyMap<string, string>, path: string): string {
  return shortened(values.get(path) ?? '(none)', LONGEST);
}

/** The values without their secrets. */
function open(values: Values): Values {
  const hidden = hideSecrets(values);
  return isTree(hidden) ? hidden : {};
}

function byPath(values: Values): ReadonlyMap<string, string> {
  return new Map(
    leaves(values).map(({ path, value }) => [path.join('.'), JSON.stringify(value)] as const),
  );
}
