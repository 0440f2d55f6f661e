/** Where a field stands in an object: keys of maps and places in lists. */
export type FieldPath = readonly (string | number)[];

/** A field that is not as it was rendered. */
export interface FieldDifference {
  readonly path: FieldPath;
  /** As rendered; undefined when the field was added. */
  readonly wanted: unknown;
  /** As it is; undefined when it was taken away. */
  readonly found: unknown;
}

type Tree = Readonly<Record<string, unknown>>;

/** Fields that tell elements of a list apart, whatever their order. */
const KEYS = ['name', 'mountPath', 'key', 'containerPort', 'port', 'ip'] as const;
/** What the server writes in another way than it was given: `1000m` is `1`. */
const QUANTITY = /^([0-9.]+)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
const UNITS: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

/**
 * Fields that were rendered and are not so any more. What the live object has besides is not looked
 * at: the server fills in defaults, and controllers their part.
 */
export function changedFields(
  rendered: unknown,
  live: unknown,
  path: FieldPath = [],
): readonly FieldDifference[] {
  if (isTree(rendered) && isTree(live)) {
    return Object.entries(rendered).flatMap(([key, wanted]) =>
      changedFields(wanted, live[key], [...path, key]),
    );
  }
  if (Array.isArray(rendered) && Array.isArray(live)) return changedElements(rendered, live, path);
  if (isSame(rendered, live, path)) return [];
  return [{ path, wanted: rendered, found: live }];
}

function changedElements(
  rendered: readonly unknown[],
  live: readonly unknown[],
  path: FieldPath,
): readonly FieldDifference[] {
  const key = keyOf(rendered, live);
  if (key === undefined && rendered.length !== live.length) {
    return [{ path, wanted: rendered, found: live }];
  }
  return rendered.flatMap((wanted, index) => {
    const at = key === undefined ? index : placeOf(live, key, (wanted as Tree)[key]);
    if (at === undefined) return [{ path: [...path, live.length], wanted, found: undefined }];
    return changedFields(wanted, live[at], [...path, at]);
  });
}

/** The value that was rendered at a place of the live object; undefined when nothing was. */
export function renderedAt(rendered: unknown, live: unknown, path: FieldPath): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return rendered;
  if (Array.isArray(rendered) && Array.isArray(live) && typeof step === 'number') {
    const key = keyOf(rendered, live);
    const element: unknown = live[step];
    const at = key === undefined ? step : placeOf(rendered, key, (element as Tree)[key]);
    return at === undefined ? undefined : renderedAt(rendered[at], element, rest);
  }
  if (!isTree(rendered) || !isTree(live)) return undefined;
  return renderedAt(rendered[step], live[step], rest);
}

/** The field by which the elements of both lists are told apart; undefined when there is none. */
export function keyOf(one: readonly unknown[], other: readonly unknown[]): string | undefined {
  return KEYS.find((key) => isKeyed(one, key) && isKeyed(other, key));
}

function isKeyed(list: readonly unknown[], key: string): boolean {
  const values = list.map((element) => (isTree(element) ? element[key] : undefined));
  return !values.includes(undefined) && new Set(values).size === list.length;
}

export function placeOf(list: readonly unknown[], key: string, value: unknown): number | undefined {
  const at = list.findIndex((element) => isTree(element) && element[key] === value);
  return at < 0 ? undefined : at;
}

/** The server leaves out what says nothing: `hostNetwork: false`, an empty map. */
function isSame(rendered: unknown, live: unknown, path: FieldPath): boolean {
  if (JSON.stringify(rendered) === JSON.stringify(live)) return true;
  if (isPlain(rendered) && isPlain(live) && String(rendered) === String(live)) return true;
  if (isNothing(rendered) && (live === undefined || isNothing(live))) return true;
  return path.includes('resources') && quantity(rendered) === quantity(live);
}

/** Numbers and texts, which the server writes in either way where both are taken. */
function isPlain(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false || value === 0) {
    return true;
  }
  return Array.isArray(value)
    ? value.length === 0
    : isTree(value) && Object.values(value).every(isNothing);
}

function quantity(value: unknown): number {
  const [, digits = '', unit = ''] = QUANTITY.exec(String(value)) ?? [];
  return digits === '' ? Number.NaN : Number(digits) * (UNITS[unit] ?? 1);
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
