import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument, type Document } from 'yaml';
import { ShipError } from '../core/errors.ts';
import { problemLines, type Problem } from './problems.ts';
import { normalise, type Config } from './normalise.ts';
import { checkRules } from './rules.ts';
import { checkSchema } from './validate.ts';

export const CONFIG_NAME = 'ciliumship.yaml';
const MAX_BYTES = 1024 * 1024;

/**
 * Finds the config: `file` when given, else `ciliumship.yaml` here or in a folder above.
 *
 * @throws ShipError `config` when there is none
 */
export async function findConfig(file: string | undefined, from: string): Promise<string> {
  if (file !== undefined) return resolve(from, file);
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, CONFIG_NAME);
    if (await isFile(candidate)) return candidate;
    if (folder === dirname(folder)) break;
  }
  throw new ShipError('config', `no ${CONFIG_NAME} in ${from} or above it`, {
    hint: `write one (the smallest is in the README), or name it: ciliumship --config FILE`,
  });
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true;
}

/**
 * Reads and checks a config file. All problems are reported at once, each with its path and line.
 *
 * @throws ShipError `config`
 */
export async function loadConfig(file: string): Promise<Config> {
  const text = await readConfig(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = syntaxProblems(document);
  if (problems.length > 0) throw invalid(file, problems, document, lines);
  const parsed = checkSchema(plainValue(file, document));
  if ('problems' in parsed) throw invalid(file, parsed.problems, document, lines);
  const config = normalise(parsed.value, file);
  const broken = checkRules(config);
  if (broken.length > 0) throw invalid(file, broken, document, lines);
  return config;
}

async function readConfig(file: string): Promise<string> {
  const found = await stat(file).catch((cause: unknown) => unreadable(file, cause));
  if (found.size > MAX_BYTES) {
    throw new ShipError('config', `${file} is ${found.size} bytes, more than a config can be`);
  }
  return readFile(file, 'utf8').catch((cause: unknown) => unreadable(file, cause));
}

function unreadable(file: string, cause: unknown): never {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
  throw new ShipError('config', `cannot read the config ${file} (${code})`, {
    cause,
    hint: 'name a file that can be read: ciliumship --config FILE',
  });
}

/** `toJS` throws on alias bombs (more than 100 expansions). */
function plainValue(file: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new ShipError('config', `${file} uses too many aliases`, { cause });
  }
}

function syntaxProblems(document: Document): readonly Problem[] {
  return document.errors.map((error) => ({ path: [], message: error.message, at: error.pos[0] }));
}

function invalid(
  file: string,
  problems: readonly Problem[],
  document: Document,
  lines: LineCounter,
): ShipError {
  const details = problemLines(problems, (problem) => {
    const start = problem.at ?? startOf(document, problem.path);
    return start === undefined ? undefined : lines.linePos(start).line;
  });
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new ShipError('config', `${file} has ${count}`, {
    details,
    hint: `mend ${count === 'a problem' ? 'it' : 'them'}, then run the same command again`,
  });
}

/** Offset of the value at `path`, or of the nearest parent that exists. */
function startOf(document: Document, path: readonly (string | number)[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const found: unknown = document.getIn(path.slice(0, length), true);
    const range = hasRange(found) ? found.range : undefined;
    if (range) return range[0];
  }
  return undefined;
}

function hasRange(value: unknown): value is { range: readonly number[] | null } {
  return typeof value === 'object' && value !== null && 'range' in value;
}
