/** How wide the columns of a table can be, and which of them share a line where there is little room. */

/** Sentences in narrower columns are harder to read than one line for each cell. */
const NARROWEST = 14;
/** What is no longer than this stays on one line. */
const SHORT = 12;

/** Of what stands below the first line of a row. */
export const INDENT = '  ';
/** With more, nobody sees what belongs together. */
const MOST_LINES = 3;

/** Between two columns. */
export const GAP = '  ';

export type Row = readonly string[];

/** Columns that share a line of a row, and how wide they are. */
export interface LinePart {
  readonly from: number;
  readonly widths: readonly number[];
}

/**
 * Few columns on the first line, where names stand, and the others below it, on up to three lines.
 *
 * @returns undefined when that is not enough
 */
export function lineParts(columns: readonly Row[], room: number): readonly LinePart[] | undefined {
  for (const most of [2, MOST_LINES]) {
    for (const fit of [fullWidths, wrappedWidths]) {
      const found = splitColumns(columns, 0, { room, most, fit });
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

interface Split {
  readonly room: number;
  /** Lines that may still come. */
  readonly most: number;
  readonly fit: (columns: readonly Row[], room: number) => readonly number[] | undefined;
}

/** Of all ways to split them the one whose lines are the shortest. */
function splitColumns(
  columns: readonly Row[],
  from: number,
  { room, most, fit }: Split,
): readonly LinePart[] | undefined {
  const own = from === 0 ? room : room - INDENT.length;
  const ways: (readonly LinePart[])[] = [];
  for (let count = 1; count <= columns.length; count += 1) {
    const widths = fit(columns.slice(0, count), own);
    // More of them fit even less: a table may have a column for each of 256 nodes.
    if (widths === undefined) break;
    const rest = columns.slice(count);
    if (rest.length === 0) ways.push([{ from, widths }]);
    if (rest.length === 0 || most === 1) continue;
    const below = splitColumns(rest, from + count, { room, most: most - 1, fit });
    if (below !== undefined) ways.push([{ from, widths }, ...below]);
  }
  const longestLine = (parts: readonly LinePart[]): number =>
    Math.max(...parts.map(({ widths }) => breadth(widths)));
  return ways.toSorted((one, other) => longestLine(one) - longestLine(other))[0];
}

/** As wide as the widest cell of each; undefined where there is no room for that. */
export function fullWidths(columns: readonly Row[], room: number): readonly number[] | undefined {
  const full = columns.map(longest);
  return breadth(full) <= room ? full : undefined;
}

/** Wide columns give way first; none is cut. Undefined where that is not enough. */
export function wrappedWidths(
  columns: readonly Row[],
  room: number,
): readonly number[] | undefined {
  const full = columns.map(longest);
  if (breadth(full) <= room) return full;
  const least = columns.map((cells) => longest(cells.flatMap(unbreakable)));
  for (let limit = Math.max(...full); limit >= NARROWEST; limit -= 1) {
    const widths = full.map((width, at) => Math.max(least[at] ?? 0, Math.min(width, limit)));
    if (breadth(widths) <= room) return widths;
  }
  return undefined;
}

function unbreakable(cell: string): Row {
  return cell.length <= SHORT ? [cell] : cell.split(/\s+/);
}

function breadth(widths: readonly number[]): number {
  const gaps = GAP.length * (widths.length - 1);
  return widths.reduce((sum, width) => sum + width, gaps);
}

/** Columns of the longest line of all cells. */
export function longest(cells: Row): number {
  return Math.max(...cells.flatMap((cell) => cell.split('\n')).map((line) => line.length));
}
