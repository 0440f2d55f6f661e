import { placeText, type Cell } from '../../drift/cell.ts';
import type { Report } from '../../output/report.ts';
import { textTable } from '../../output/table.ts';
import { driftMatrix } from './drift-matrix.ts';

const MARKS = { ok: 'ok', drift: 'DRIFT', unknown: 'unknown' } as const;

export interface Counts {
  readonly differences: number;
  readonly unknown: number;
}

export function countsOf(cells: readonly Cell[]): Counts {
  const count = (state: Cell['state']): number =>
    cells.filter((cell) => cell.state === state).length;
  return { differences: count('drift'), unknown: count('unknown') };
}

/**
 * Everything image by image and place by place, then each difference on its own line, then the
 * commands that mend them; one line when there is nothing to say.
 */
export function driftText(cells: readonly Cell[]): string {
  const open = cells.filter(({ state }) => state !== 'ok');
  if (open.length === 0) return driftSummary(cells);
  const rows = open.map((cell) => [
    ...[cell.what, placeText(cell), MARKS[cell.state], cell.wanted, cell.found],
    [cell.by, cell.since].filter((part) => part !== undefined).join(' '),
  ]);
  return [
    driftMatrix(cells),
    textTable(['what', 'where', 'state', 'wanted', 'found', 'by, since'], rows),
    driftSummary(cells),
    ...remedyLines(open),
  ].join('\n\n');
}

/** What all cells come to, in a line. */
export function driftSummary(cells: readonly Cell[]): string {
  const { differences, unknown } = countsOf(cells);
  const rest = cells.length - differences - unknown;
  if (rest === cells.length) {
    return `no drift: ${rest} of ${rest} comparisons are as ciliumship.lock says`;
  }
  return `${differences} ${differences === 1 ? 'difference' : 'differences'}, ${unknown} unknown, ${rest} ok`;
}

/** Each command once, whatever it mends; as one block, so that it can be copied. */
function remedyLines(open: readonly Cell[]): readonly string[] {
  const remedies = [...Map.groupBy(open, ({ remedy }) => remedy ?? '')].filter(
    ([remedy]) => remedy !== '',
  );
  if (remedies.length === 0) return [];
  const lines = remedies.map(([remedy, cells]) => {
    const what = [...new Set(cells.map((cell) => `${cell.what} (${placeText(cell)})`))];
    const more = what.length > 3 ? ` and ${what.length - 3} more` : '';
    return `  ${remedy}\n      ${what.slice(0, 3).join(', ')}${more}`;
  });
  return [`mended by\n${lines.join('\n')}`];
}

/** The same for CI servers. */
export function driftReport(cells: readonly Cell[]): Report {
  const checks = cells.map((cell) => {
    const { what, state, wanted, found, by, since, remedy } = cell;
    const who = [by === undefined ? '' : ` by ${by}`, since === undefined ? '' : ` since ${since}`];
    return {
      node: placeText(cell),
      check: what,
      state: state === 'drift' ? ('failed' as const) : state,
      wanted,
      found: `${found}${who.join('')}`,
      ...(remedy === undefined ? {} : { remedy }),
    };
  });
  return { name: 'drift', checks, file: 'ciliumship.lock' };
}
