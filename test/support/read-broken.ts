import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireWellWritten } from '../../src/commands/shared/values.ts';
import { readLock } from '../../src/commands/shared/lock-file.ts';
import { loadConfig } from '../../src/config/load.ts';
import { exitCode, ShipError } from '../../src/core/errors.ts';
import { lockText } from '../../src/drift/lock-file.ts';
import { BROKEN_FROM, type Kind } from './broken-from.ts';
import { testContext } from './context.ts';
import { HOSTILE } from './hostile-files.ts';
import { mutations } from './mutated.ts';

/**
 * Reads broken files of one kind, one after the other, as a command reads them, and prints what became
 * of them. A program of its own, so that its memory is that of the reading and of nothing else:
 * `node --expose-gc read-broken.ts KIND FOLDER COUNT SEED`.
 */

/** What became of all files of one kind. */
export interface Outcome {
  readonly files: number;
  readonly refused: number;
  /** Of each that was refused in another way than it should be: which, and how. */
  readonly wrong: readonly string[];
  /** The one that took most processor time. */
  readonly slowest: { readonly file: string; readonly ms: number };
  /** Bytes that the process had at most, over what it had before the first file. */
  readonly memory: number;
}

const [kind, folder, count, seed] = process.argv.slice(2) as [Kind, string, string, string];
const LARGE = 100_000_000;

/** Of each kind: its file, and what reads it. Whether it says the same as before is told by a text. */
const READERS: Readonly<
  Record<Kind, { readonly file: string; readonly read: () => Promise<unknown> }>
> = {
  config: { file: join(folder, 'ciliumship.yaml'), read: readConfig },
  values: { file: join(folder, 'values.yaml'), read: readValues },
  lock: { file: join(folder, 'ciliumship.lock'), read: readOwnLock },
};

async function readConfig(): Promise<void> {
  await loadConfig(READERS.config.file);
}

async function readValues(): Promise<void> {
  const more = { deploy: { chart: join(folder, 'chart'), values: READERS.values.file } };
  await requireWellWritten(testContext(folder, {}, more).context);
}

/** One that is read says what it said before it was broken. */
async function readOwnLock(): Promise<void> {
  const lock = await readLock(testContext(folder).context.config);
  if (lock === undefined || lockText(lock) !== BROKEN_FROM.lock)
    throw new Error('says another thing');
}

/** Where in the file, or that it is the whole of it. */
const PLACE = /line \d+: |is missing|must be|aliases|cannot be read|\d bytes/;

/** @returns undefined when the error is a refusal as it should be */
function wrongIn(error: unknown): string | undefined {
  if (!(error instanceof ShipError)) return String(error);
  const code = exitCode(error.kind);
  const isRight = code === 2 || (code === 7 && kind === 'lock');
  if (!isRight) return `exit ${code}: ${error.message}`;
  const said = [error.message, ...error.details];
  return said.some((line) => PLACE.test(line)) ? undefined : said.join(' / ');
}

/** Milliseconds of processor time of this thread: how busy the machine is with others does not count. */
async function timed(act: () => Promise<unknown>): Promise<number> {
  const before = process.threadCpuUsage();
  await act();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

async function readAll(): Promise<Outcome> {
  const { file, read } = READERS[kind];
  const atFirst = process.resourceUsage().maxRSS;
  const [wrong, slowest] = [[] as string[], { file: '', ms: 0 }];
  let [files, refused] = [0, 0];
  const look = async (name: string, mustFail: boolean): Promise<void> => {
    let error: unknown;
    const ms = await timed(() => read().catch((thrown: unknown) => (error = thrown)));
    if (ms > slowest.ms) Object.assign(slowest, { file: name, ms });
    files += 1;
    if (error !== undefined) refused += 1;
    const said = error === undefined ? (mustFail ? 'was read' : undefined) : wrongIn(error);
    if (said !== undefined) wrong.push(`${name}: ${said}`.slice(0, 1000));
  };
  for (const [name, text] of Object.entries(HOSTILE[kind])) {
    writeFileSync(file, text);
    // A command reads one of them: what the last one left does not count.
    globalThis.gc?.();
    await look(name, true);
  }
  truncateSync(file, LARGE);
  await look('100 MB', true);
  let index = 0;
  for (const text of mutations(BROKEN_FROM[kind], Number(count), Number(seed))) {
    writeFileSync(file, text);
    if (index % 20 === 0) globalThis.gc?.();
    await look(`broken ${(index += 1)}`, false);
  }
  const memory = (process.resourceUsage().maxRSS - atFirst) * 1024;
  return { files, refused, wrong: wrong.slice(0, 10), slowest, memory };
}

/** A chart with some keys of its own, which values are held against. */
function writeChart(): void {
  const chart = join(folder, 'chart');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'name: cilium\nversion: 1.19.6\n');
  writeFileSync(join(chart, 'values.yaml'), BROKEN_FROM.values);
  writeFileSync(join(chart, 'templates', 'a.yaml'), '{{ .Values.bpf.masquerade }}\n');
}

writeChart();
process.stdout.write(JSON.stringify(await readAll()));
