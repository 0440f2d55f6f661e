import { ShipError, type ErrorKind } from '../core/errors.ts';
import { compare, type Cell } from '../drift/compare.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { connectFleet } from './shared/fleet.ts';
import { needLock } from './shared/lock-file.ts';
import { observe } from './shared/observe.ts';

const MARKS = { ok: 'ok', drift: 'DRIFT', unknown: 'unknown' };

export const drift: CommandSpec = {
  name: 'drift',
  summary: 'compare what should run with what is here, on the nodes and in the cluster',
  description:
    'Compares ciliumship.lock with five places at once: the images in Docker here, what every node has under their names, the bytes that pods really run, the live release, and objects of it that somebody changed by hand. Changes nothing and needs no right to. Each difference comes with the command that mends it. A place that cannot be looked at is unknown, and never ok. Exit 3 with a difference, the class of what could not be read when something is unknown.',
  examples: [
    ['ciliumship drift', 'everything'],
    ['ciliumship drift -o json', 'for a script'],
  ],
  run: async (context) => {
    const { config, output } = context;
    const lock = await needLock(config);
    await using fleet = await connectFleet(context, config.nodes);
    const { seen, failures } = await observe(context, fleet);
    const cells = compare(lock, seen);
    const count = (state: Cell['state']): number =>
      cells.filter((cell) => cell.state === state).length;
    const counts = { differences: count('drift'), unknown: count('unknown') };
    output.result(driftText(cells, counts), { ...counts, cells });
    if (counts.differences > 0) throw differs(counts.differences, cells);
    if (counts.unknown > 0) throw notSeen(counts.unknown, failures);
  },
};

interface Counts {
  readonly differences: number;
  readonly unknown: number;
}

/** What is not as it should be, one line each; a line that says so when everything is. */
function driftText(cells: readonly Cell[], { differences, unknown }: Counts): string {
  const open = cells.filter(({ state }) => state !== 'ok');
  if (open.length === 0)
    return `no drift: ${cells.length} of ${cells.length} comparisons are as ciliumship.lock says`;
  const rows = open.map(({ what, place, state, wanted, found, remedy }) => [
    what,
    place,
    MARKS[state],
    wanted,
    found,
    remedy ?? '',
  ]);
  const table = textTable(['what', 'where', 'state', 'wanted', 'found', 'mended by'], rows);
  return `${table}\n\n${differences} differences, ${unknown} unknown`;
}

function differs(count: number, cells: readonly Cell[]): ShipError {
  const remedies = new Set(cells.flatMap(({ remedy }) => remedy ?? []));
  return new ShipError('drift', `${count} differences from ciliumship.lock`, {
    hint: [...remedies].join('; then '),
  });
}

/** Unknown is no difference: it ends with the class of what could not be looked at. */
function notSeen(count: number, failures: readonly ShipError[]): ShipError {
  const [first] = failures;
  const kind: ErrorKind = first?.kind ?? 'network';
  return new ShipError(kind, `${count} looks were not possible`, {
    details: failures.map(({ message }) => message),
    hint: 'mend the way there, then: ciliumship drift',
  });
}
