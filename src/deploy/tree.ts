/** Values for Helm, as a tree. */
export type Values = { readonly [key: string]: unknown };

export type Path = readonly string[];

/** One value of a tree, where it stands. */
export interface Leaf {
  readonly path: Path;
  readonly value: unknown;
}

export function isTree(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Everything that is no tree of its own, and empty trees; Helm replaces lists whole. */
export function leaves(values: Values, above: Path = []): readonly Leaf[] {
  return Object.entries(values).flatMap(([key, value]): readonly Leaf[] => {
    const path = [...above, key];
    return isTree(value) && Object.keys(value).length > 0 ? leaves(value, path) : [{ path, value }];
  });
}

/** The value at a path; undefined when it is not set. What every object inherits is no value. */
export function valueOf(values: Values, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) => (isTree(at) && Object.hasOwn(at, key) ? at[key] : undefined),
    values,
  );
}

/** The value at a path such as `ipam.mode`; undefined when it is not set. */
export function valueAt(values: Values, path: string): unknown {
  return valueOf(values, path.split('.'));
}

/** The same as text; empty when it is not set or is no plain value. */
export function textAt(values: Values, path: string): string {
  const value = valueAt(values, path);
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** The same as a list of texts, which Helm values write as one too, with spaces or commas. */
export function textsAt(values: Values, path: string): readonly string[] {
  const value = valueAt(values, path);
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((text) => text !== '');
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}
