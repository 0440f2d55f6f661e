import Table from 'cli-table3';
import {
  fullWidths,
  GAP,
  INDENT,
  lineParts,
  longest,
  type LinePart,
  type Row,
  wrappedWidths,
} from './table-widths.ts';
import { wrap } from './wrap.ts';

const BORDERLESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
};

/**
 * A table without lines: a head in capitals, columns two spaces apart. Where a terminal is too narrow
 * for it, cells are wrapped between words; where that is not enough, a row takes two or
 * three lines, and in the end each cell has its own. No word is ever cut, so that digests can be
 * copied.
 *
 * @param room in columns; that of the terminal, and without one as much as is needed
 */
export function textTable(head: Row, rows: readonly Row[], room = terminalWidth()): string {
  const all = [head.map((word) => word.toUpperCase()), ...rows];
  const columns = head.map((_, at) => all.map((row) => row[at] ?? ''));
  if (fullWidths(columns, room) !== undefined) return drawn(all);
  const widths = wrappedWidths(columns, room);
  if (widths !== undefined) return drawn(all, widths);
  const parts = lineParts(columns, room);
  return parts === undefined ? blocks(all, room) : onLines(all, parts);
}

function onLines(all: readonly Row[], parts: readonly LinePart[]): string {
  return all
    .flatMap((row) =>
      parts.flatMap(({ from, widths }) => {
        const text = drawn([[], row.slice(from, from + widths.length)], widths);
        return text.split('\n').flatMap((line) => {
          if (line === '') return [];
          return from === 0 ? line : `${INDENT}${line}`;
        });
      }),
    )
    .join('\n');
}

function terminalWidth(): number {
  // A terminal that does not say how wide it is says 0.
  return (process.stdout.isTTY && process.stdout.columns) || Infinity;
}

function drawn([head = [], ...rows]: readonly Row[], widths?: readonly number[]): string {
  const table = new Table({
    head: [...head],
    chars: BORDERLESS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    ...(widths === undefined ? {} : { colWidths: [...widths], wordWrap: true }),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `HEAD  cell`, line by line; what has no head stands alone, and empty cells are left out. */
function blocks([head = [], ...rows]: readonly Row[], room: number): string {
  const width = longest(head) + GAP.length;
  const line = (cell: string, at: number): string =>
    head[at]
      ? wrap(cell.replaceAll('\n', ' '), head[at].padEnd(width), ' '.repeat(width), room)
      : cell;
  return rows
    .map((row) => row.flatMap((cell, at) => (cell === '' ? [] : line(cell, at))).join('\n'))
    .join('\n\n');
}
