import { shortDigest, type Digest } from '../core/digest.ts';
import { hideSecrets, isSecretAt } from '../core/secret-values.ts';
import { shortened } from '../core/text.ts';
import { unknownCell, type Cell, type Seen } from './cell.ts';
import type { ShipLock } from './lock-file.ts';
import {
  fieldText,
  objectDifferences,
  objectName,
  type ManifestObject,
  type ObjectDifference,
} from '../facts/manifest-object.ts';
import { objectRemedy } from './objects.ts';

/** What the release is now; digests as the lock takes them. */
export interface LiveRelease {
  readonly revision: number;
  readonly values: Digest;
  readonly manifest: Digest;
  /** Where Helm could not be asked and this is what our own last rollout wrote down. */
  readonly recorded?: boolean;
  /** When the revision was made. */
  readonly since?: string;
  /** `MTU 1400 → 1500`: how its values differ from those of the locked revision, if it is known. */
  readonly changes: readonly string[];
}

/** Fields of one object that are shown one by one. */
const SHOWN = 8;
const LONGEST = 60;

/**
 * Values and manifest of the release as a whole.
 *
 * @param objects cells of its objects: where Helm could not be asked only they prove what is there
 */
export function releaseCells(
  wanted: ShipLock['release'],
  release: Seen<LiveRelease | 'none'>,
  objects: readonly Cell[],
): readonly Cell[] {
  const place = 'release';
  if (wanted === undefined) {
    const cell = { what: 'release', place, wanted: 'not known' } as const;
    return [unknownCell(cell, 'why' in release ? release.why : 'nothing says what it should be')];
  }
  const values = { what: 'values', place, wanted: shortDigest(wanted.values) } as const;
  const manifest = { what: 'manifest', place, wanted: shortDigest(wanted.manifest) } as const;
  if ('why' in release) {
    return [unknownCell(values, release.why), unknownCell(manifest, release.why)];
  }
  const { seen } = release;
  const remedy = 'ciliumship deploy';
  if (seen === 'none') {
    const gone = { wanted: `revision ${wanted.revision}`, found: 'not installed', remedy };
    return [{ ...values, ...gone, state: 'drift' }];
  }
  if (seen.recorded === true && seen.manifest === wanted.manifest) {
    return [values, manifest].map((cell) => provedBy(objects, cell));
  }
  const since = seen.since === undefined ? {} : { since: seen.since };
  const differs = { state: 'drift', ...since, remedy } as const;
  const rendersTheSame = seen.manifest === wanted.manifest;
  return [
    seen.values === wanted.values
      ? { ...values, state: 'ok', found: shortDigest(seen.values) }
      : // Values that render to the same manifest do nothing, and no deploy would change them.
        rendersTheSame
        ? { ...values, state: 'ok', found: 'others, to the same manifest' }
        : { ...values, ...differs, found: changesText(seen) },
    rendersTheSame
      ? { ...manifest, state: 'ok', found: shortDigest(seen.manifest) }
      : { ...manifest, ...differs, found: shortDigest(seen.manifest) },
  ];
}

/** A record says what was rolled out, not what became of it. */
function provedBy(objects: readonly Cell[], cell: Pick<Cell, 'what' | 'place' | 'wanted'>): Cell {
  if (objects.length > 0 && objects.every(({ state }) => state === 'ok')) {
    return { ...cell, state: 'ok', found: `as its ${objects.length} objects show` };
  }
  return unknownCell(
    cell,
    'only recorded: Helm could not be asked, and not every object is as locked',
  );
}

function changesText({ changes, values, revision }: LiveRelease): string {
  const shown = changes.slice(0, SHOWN);
  const more = changes.length - shown.length;
  if (shown.length === 0) return `${shortDigest(values)} of revision ${revision}`;
  return `${shown.join(', ')}${more > 0 ? `, and ${more} more` : ''} (revision ${revision})`;
}

/** Objects of the release whose fields are not as they were rendered, or that are gone. */
export function objectCells(objects: Seen<readonly ManifestObject[]>): readonly Cell[] {
  if ('why' in objects) {
    const cell = { what: 'objects', place: 'release', wanted: 'as they were rendered' } as const;
    return [unknownCell(cell, objects.why)];
  }
  return objects.seen.flatMap(cellsOf);
}

function cellsOf(object: ManifestObject): readonly Cell[] {
  const cell = { what: objectName(object), place: 'release', wanted: 'as rendered' } as const;
  const { live } = object;
  if (live === 'deleted') {
    return [{ ...cell, state: 'drift', found: 'deleted', remedy: objectRemedy(object, []) }];
  }
  if ('why' in live) return [unknownCell(cell, live.why)];
  const differences = objectDifferences(object);
  if (differences.length === 0) return [{ ...cell, state: 'ok', found: 'as rendered' }];
  const remedy = objectRemedy(object, differences);
  const shown = differences.slice(0, SHOWN).map((difference) => ({
    ...differenceCell(cell.what, difference, live.object),
    remedy,
  }));
  const more = differences.length - shown.length;
  if (more === 0) return shown;
  return [...shown, { ...cell, state: 'drift', found: `${more} more fields differ`, remedy }];
}

function differenceCell(what: string, difference: ObjectDifference, object: object): Cell {
  const { path, wanted, found, owner } = difference;
  const show = (value: unknown): string => valueText(hideSecrets(value, isSecretAt(object, path)));
  return {
    what: `${what} ${fieldText(difference, object)}`,
    place: 'release',
    state: 'drift',
    wanted: show(wanted),
    found: show(found),
    ...(owner === undefined ? {} : { by: owner.manager }),
    ...(owner?.since === undefined ? {} : { since: owner.since }),
  };
}

function valueText(value: unknown): string {
  if (value === undefined) return 'nothing';
  // A table has one line for each cell.
  const plain = typeof value === 'string' && !/[\n\t]/.test(value);
  const text = plain ? value : JSON.stringify(value);
  return shortened(text, LONGEST);
}
