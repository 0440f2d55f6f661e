import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Document } from 'yaml';
import { ShipError } from '../core/errors.ts';
import { readYaml, type ReadYaml, type YamlProblem } from '../core/yaml.ts';
import { problemLines, type Problem } from './problems.ts';
import { normalise, type Config } from './normalise.ts';
import { checkRules } from './rules.ts';
import type { ConfigFile } from './schema.ts';
import { checkSchema } from './validate.ts';

export const CONFIG_NAME = 'ciliumship.yaml';
/** 256 nodes with everything that can be said of each fit twice. */
const MAX_BYTES = 96 * 1024;
const MAX_SHOWN = 50;

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
    hint: 'make one: ciliumship init (or name yours after the command: --config FILE)',
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
  return parseConfig(await readConfig(file), file);
}

/**
 * Checks the text of a config file.
 *
 * @param file its absolute path, for messages and for paths that count from its folder
 * @throws ShipError `config` as `loadConfig`
 */
export function parseConfig(text: string, file: string): Config {
  const { read, value } = parseFile(text, file);
  const config = normalise(value, file);
  const broken = checkRules(config);
  if (broken.length > 0) throw invalid(file, broken, read);
  return config;
}

/** A config file as it is written, and the same with the defaults of the schema. */
export interface ParsedFile {
  readonly read: ReadYaml;
  readonly value: ConfigFile;
}

/** The file behind a config, for whoever wants to know what is written where. Throws as `loadConfig`. */
export async function readConfigFile(file: string): Promise<ParsedFile> {
  return parseFile(await readConfig(file), file);
}

function parseFile(text: string, file: string): ParsedFile {
  const read = readYaml(text, MAX_BYTES);
  if ('problems' in read) throw notYaml(file, read.problems);
  const parsed = checkSchema(read.value);
  if ('problems' in parsed) throw invalid(file, parsed.problems, read);
  return { read, value: parsed.value };
}

/** Measured before it is read: a file may be larger than memory. */
async function readConfig(file: string): Promise<string> {
  const found = await stat(file).catch((cause: unknown) => unreadable(file, cause));
  if (found.size > MAX_BYTES) {
    throw notYaml(file, [
      { line: undefined, message: `is ${found.size} bytes long, more than a config can be` },
    ]);
  }
  return readFile(file, 'utf8').catch((cause: unknown) => unreadable(file, cause));
}

function unreadable(file: string, cause: unknown): never {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
  throw new ShipError('config', `cannot read the config ${file} (${code})`, {
    cause,
    hint: 'name a file that can be read, after the command: --config FILE',
  });
}

function notYaml(file: string, problems: readonly YamlProblem[]): ShipError {
  return listed(
    file,
    problemLines(
      problems.map(({ message }) => ({ path: [], message })),
      ({ message }) => problems.find((problem) => problem.message === message)?.line,
    ),
  );
}

function invalid(file: string, problems: readonly Problem[], read: ReadYaml): ShipError {
  const shown = problems.slice(0, MAX_SHOWN);
  const details = problemLines(shown, ({ path }) => lineAt(read, path));
  const more = problems.length - shown.length;
  return listed(file, more > 0 ? [...details, `and ${more} more`] : details, problems.length);
}

function listed(file: string, details: readonly string[], all = details.length): ShipError {
  const count = all === 1 ? 'a problem' : `${all} problems`;
  return new ShipError('config', `${file} has ${count}`, {
    details,
    hint: `mend ${all === 1 ? 'it' : 'them'}, then run the same command again`,
  });
}

/** Line of the value at `path`, or of the nearest parent that exists; the whole begins at the first. */
export function lineAt(
  { document, lines }: ReadYaml,
  path: readonly (string | number)[],
): number | undefined {
  const start = path.length === 0 ? 0 : startOf(document, path);
  return start === undefined ? undefined : lines.linePos(start).line;
}

/** Offset of the value at `path`, or of the nearest parent that exists. */
function startOf(document: Document, path: readonly (string | number)[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const [above, key] = [path.slice(0, length - 1), path[length - 1]];
    const found: unknown =
      document.getIn([...above, key], true) ?? document.getIn([...above, asWritten(key)], true);
    const range = hasRange(found) ? found.range : undefined;
    if (range) return range[0];
  }
  return undefined;
}

/** A key that was no text when it was read: `1: …`, `true: …`. */
function asWritten(key: string | number | undefined): unknown {
  if (key === 'true' || key === 'false') return key === 'true';
  return Number(key);
}

function hasRange(value: unknown): value is { range: readonly number[] | null } {
  return typeof value === 'object' && value !== null && 'range' in value;
}
