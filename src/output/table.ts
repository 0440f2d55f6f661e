import Table from 'cli-table3';

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
  middle: '  ',
};

/** Sentences in narrower columns are harder to read than one line for each cell. */
const NARROWEST = 14;
/** What is no longer than this stays on one line. */
const SHORT = 12;

type Row = readonly string[];

/**
 * A table without lines: a head in capitals, columns two spaces apart. Where a terminal is too narrow
 * for it, cells are wrapped between words; where that is not enough, rows that take two lines are left
 * to the terminal, and longer ones become blocks with a line for each cell. No word is ever cut, so
 * that digests can be copied.
 *
 * @param room in columns; that of the terminal, and without one as much as is needed
 */
export function textTable(head: Row, rows: readonly Row[], room = terminalWidth()): string {
  const all = [head.map((word) => word.toUpperCase()), ...rows];
  const columns = head.map((_, at) => all.map((row) => row[at] ?? ''));
  const full = columns.map((cells) => longest(cells));
  if (breadth(full) <= room) return drawn(all);
  const widths = wrappedWidths(columns, full, room);
  return widths === undefined && breadth(full) > 2 * room ? blocks(all) : drawn(all, widths);
}

function terminalWidth(): number {
  // A terminal that does not say how wide it is says 0.
  return (process.stdout.isTTY && process.stdout.columns) || Infinity;
}

/** Wide columns give way first. */
function wrappedWidths(
  columns: readonly Row[],
  full: readonly number[],
  room: number,
): readonly number[] | undefined {
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
  const gaps = BORDERLESS.middle.length * (widths.length - 1);
  return widths.reduce((sum, width) => sum + width, gaps);
}

function longest(cells: Row): number {
  return Math.max(...cells.flatMap((cell) => cell.split('\n')).map((line) => line.length));
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
function blocks([head = [], ...rows]: readonly Row[]): string {
  const width = longest(head);
  const line = (cell: string, at: number): string =>
    head[at] ? `${head[at].padEnd(width)}  ${cell.replaceAll('\n', ' ')}` : cell;
  return rows
    .map((row) => row.flatMap((cell, at) => (cell === '' ? [] : line(cell, at))).join('\n'))
    .join('\n\n');
}
