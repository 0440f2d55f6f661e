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

/** Spaces between two columns. */
const GAP = 2;
/** What is no longer than this stays on one line. */
const SHORT = 12;

/**
 * A table without lines: a head in capitals, columns two spaces apart.
 *
 * @param width columns of the terminal: what is wider is folded within its column, never within a
 * word; undefined folds nothing, as in a pipe
 */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width = process.stdout.isTTY ? process.stdout.columns : undefined,
): string {
  const titles = head.map((word) => word.toUpperCase());
  const table = new Table({
    head: titles,
    chars: BORDERLESS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    ...folding([titles, ...rows], width),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Widths of the columns: the widest give way first; nothing where even that would not be enough. */
function folding(
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): { readonly colWidths?: number[]; readonly wordWrap?: true } {
  const columns = (rows[0] ?? []).map((_, at) => rows.map((row) => row[at] ?? ''));
  const widths = columns.map((cells) => longest(cells));
  const least = columns.map((cells) => longest(cells.flatMap(unbreakable)));
  const sum = (): number => widths.reduce((all, one) => all + one, GAP * (widths.length - 1));
  while (sum() > width) {
    const room = widths.map((now, at) => (now > (least[at] ?? 0) ? now : 0));
    const widest = Math.max(...room);
    if (widest === 0) return {};
    widths[room.indexOf(widest)] = widest - 1;
  }
  return { colWidths: widths, wordWrap: true };
}

function unbreakable(cell: string): readonly string[] {
  return cell.length <= SHORT ? [cell] : cell.split(' ');
}

function longest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length));
}
