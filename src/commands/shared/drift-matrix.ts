import type { Cell } from '../../drift/cell.ts';
import { textTable } from '../../output/table.ts';

/** Longer than a digest is said below, where there is room. */
const SHORT = 14;

/**
 * What is locked, line by line, and how it is at each place: `✔` as locked, `✖` not, `?` unknown, empty
 * where there is nothing to compare. Of what only the release has, no more than what is open.
 */
export function driftMatrix(cells: readonly Cell[]): string {
  const places = placesOf(cells);
  const rows = [...Map.groupBy(cells, ({ what }) => what)]
    .filter(([, own]) => own.some(({ place, state }) => place !== 'release' || state !== 'ok'))
    .map(([what, own]) => [what, lockedOf(own), ...places.map(({ of }) => markOf(own.filter(of)))]);
  return textTable(['', 'lock', ...places.map(({ title }) => title)], rows);
}

interface Place {
  readonly title: string;
  readonly of: (cell: Cell) => boolean;
}

/** The places that were looked at, in the order of the way from here to what runs. */
function placesOf(cells: readonly Cell[]): readonly Place[] {
  const nodes = new Set(cells.flatMap(({ place, node }) => (place === 'node' && node) || []));
  const all: readonly Place[] = [
    { title: 'here', of: ({ place }) => place === 'local' },
    ...[...nodes].map((name) => ({
      title: name,
      of: ({ place, node }: Cell) => place === 'node' && node === name,
    })),
    { title: 'running', of: ({ place }) => place === 'running' },
    { title: 'release', of: ({ place }) => place === 'release' },
  ];
  return all.filter(({ of }) => cells.some(of));
}

/** A digest; what a release wants of an object is said below. */
function lockedOf(cells: readonly Cell[]): string {
  const found = cells.find(({ place }) => place !== 'release') ?? cells[0];
  return found !== undefined && found.wanted.length <= SHORT ? found.wanted : '';
}

function markOf(cells: readonly Cell[]): string {
  const [first] = cells;
  if (first === undefined) return '';
  if (cells.every(({ state }) => state === 'ok')) return '✔';
  if (cells.length === 1) return mark(first);
  // Pods of one image on several nodes.
  return cells.map((cell) => `${cell.node ?? ''} ${mark(cell)}`.trim()).join(' ');
}

function mark({ state, found, place }: Cell): string {
  if (state === 'ok') return '✔';
  if (state === 'unknown') return '?';
  return found.length <= SHORT && place !== 'running' ? `✖ ${found}` : '✖';
}
