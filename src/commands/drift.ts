import { InvalidArgumentError } from 'commander';
import { exitCode, ShipError } from '../core/errors.ts';
import { quoteArgv } from '../core/quote.ts';
import type { Cell } from '../drift/cell.ts';
import { compare } from '../drift/compare.ts';
import { REPORT_FORMATS } from '../output/report.ts';
import type { CommandSpec } from './command.ts';
import { option } from './flags.ts';
import { countsOf, driftReport, driftSummary, driftText } from './shared/drift-text.ts';
import { connectFleet } from './shared/fleet.ts';
import type { ArchiveFlag } from './shared/local-images.ts';
import { needLock } from './shared/lock-file.ts';
import { selectNodes } from './shared/nodes.ts';
import { observe, type Part } from './shared/observe.ts';
import { parseReports, writeReports } from './shared/report-files.ts';
import { watching, watchOptions, type WatchFlags } from './shared/watch.ts';

interface DriftFlags extends WatchFlags, ArchiveFlag {
  readonly only?: readonly Part[];
  readonly report?: readonly string[];
}

const PARTS: readonly Part[] = ['local', 'nodes', 'running', 'release'];
/** What one may ask for, and what it stands for. */
/** What `--only` takes → the parts that it means. */
export const ONLY: Readonly<Record<string, readonly Part[]>> = {
  images: ['local', 'nodes', 'running'],
  ...Object.fromEntries(PARTS.map((part) => [part, [part]])),
};

export const drift: CommandSpec<DriftFlags> = {
  name: 'drift',
  summary: 'compare what should run with what is here, on the nodes and in the cluster',
  description:
    'Compares ciliumship.lock with five places at once: the images in Docker or an archive here, what every node has under their names, the bytes that pods really run, the live release, and its objects with their labels and CiliumNodeConfigs, field by field, with who changed one and when. Changes nothing and needs no right to: not to Secrets either, see ciliumship drift rights: then values and manifest of the release are ok only when every object is as locked. Each difference comes with the command that mends it. A place that cannot be looked at is unknown, and never ok. Exit 3 with a difference, else the class of what could not be read when something is unknown.',
  examples: [
    ['ciliumship drift', 'everything'],
    ['ciliumship drift --only nodes,running,release', 'on a machine without Docker, as in CI'],
    ['ciliumship drift -o markdown >> "$GITHUB_STEP_SUMMARY"', 'for the summary of a job'],
    ['ciliumship drift --report drift.md,drift.xml,drift.sarif', 'all forms of one look'],
    ['ciliumship drift --archive images.tar.zst --only local', 'is this archive what is locked?'],
    ['ciliumship drift --watch', 'until Ctrl-C'],
  ],
  formats: REPORT_FORMATS,
  options: [
    option(
      '--only <parts>',
      'of images (local, nodes, running) and release; comma-separated',
    ).argParser(parseOnly),
    option('--archive <file>', 'compare an archive of ciliumship save instead of Docker’s images'),
    option(
      '--report <files>',
      'also write it to these files: .md, .xml (JUnit), .sarif or .json; comma-separated',
    ).argParser(parseReports),
    ...watchOptions,
  ],
  run: async (context) => {
    const { config, flags } = context;
    const parts = new Set(flags.only ?? PARTS);
    const nodes = parts.has('nodes') ? selectNodes(config.nodes, flags.nodes) : [];
    await watching(context, async (output) => {
      const lock = await needLock(config);
      const now = { ...context, output };
      await using fleet = await connectFleet(now, nodes);
      const { seen, failures } = await observe(now, fleet, lock, parts);
      const cells = compare(lock, seen).map((cell) => fromArchive(cell, flags.archive));
      const counts = countsOf(cells);
      await writeReports(flags.report ?? [], driftReport(cells), { ...counts, cells }, output);
      return {
        show: (to) => to.result(driftText(cells), { ...counts, cells }, driftReport(cells)),
        summary: driftSummary(cells),
        error: differs(cells) ?? notSeen(counts.unknown, failures),
      };
    });
  },
};

/** What an archive holds is shipped from there, and rolled out whatever Docker has. */
function fromArchive(cell: Cell, archive: string | undefined): Cell {
  const { remedy } = cell;
  if (archive === undefined || remedy === undefined) return cell;
  if (remedy === 'ciliumship deploy') return { ...cell, remedy: `${remedy} --locked` };
  const push = /^ciliumship push(?: --no-build)?(.*)$/.exec(remedy);
  if (push === null) return cell;
  const words = quoteArgv(['ciliumship', 'push', '--archive', archive]);
  return { ...cell, remedy: `${words}${push[1]}` };
}

function parseOnly(text: string): readonly Part[] {
  const parts = text.split(',').map((word) => ONLY[word.trim()]);
  if (parts.every((part) => part !== undefined)) return parts.flat();
  throw new InvalidArgumentError(`Write some of ${Object.keys(ONLY).join(', ')}.`);
}

function differs(cells: readonly Cell[]): ShipError | undefined {
  const { differences } = countsOf(cells);
  if (differences === 0) return undefined;
  const remedies = new Set(cells.flatMap(({ remedy }) => remedy ?? []));
  const what = differences === 1 ? '1 difference' : `${differences} differences`;
  return new ShipError('drift', `${what} from ciliumship.lock`, {
    hint: [...remedies].join('; then '),
  });
}

/** Unknown is no difference: it ends with the highest class of what could not be looked at. */
function notSeen(count: number, failures: readonly ShipError[]): ShipError | undefined {
  if (count === 0) return undefined;
  const worst = failures.reduce<ShipError | undefined>(
    (a, b) => (a !== undefined && exitCode(a.kind) >= exitCode(b.kind) ? a : b),
    undefined,
  );
  const what = count === 1 ? '1 look was' : `${count} looks were`;
  return new ShipError(worst?.kind ?? 'network', `${what} not possible`, {
    details: [...new Set(failures.map(({ message }) => message))],
    hint: wayThere(worst),
  });
}

function wayThere(worst: ShipError | undefined): string {
  // A pod that only begins, or a manifest that nobody but the nodes knows the image of.
  if (worst === undefined) return 'look again, at the nodes too: ciliumship drift';
  if (worst.kind === 'identity') {
    return 'give the rights that drift needs: ciliumship drift rights sudoers; ciliumship drift rights kubernetes';
  }
  return worst.kind === 'config' && worst.hint !== undefined
    ? worst.hint
    : 'mend the way there, then: ciliumship drift';
}
