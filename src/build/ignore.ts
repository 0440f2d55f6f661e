import dockerignore from '@balena/dockerignore';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { ShipError } from '../core/errors.ts';

/** Which files of a context stay behind. Paths are relative to the context, with `/`. */
export interface IgnoreRules {
  /** File that they come from, or `.gitignore files`. */
  readonly source: string;
  ignores(path: string): boolean;
  /** True when the folder is ignored and no `!` rule can bring back anything below it. */
  prunes(folder: string): boolean;
}

/** Never sent: git's own folder, as in the Makefile of Cilium. */
const ALWAYS = ['.git', '**/.git'];

/**
 * The rules that a docker command line would apply; the daemon applies none to a context that is
 * uploaded. In order: `<Dockerfile>.dockerignore`, `.dockerignore`, and otherwise what Cilium's
 * Makefile generates from every .gitignore file.
 *
 * @param gitignores paths of the .gitignore files, relative to the context
 * @throws ShipError `config` for a pattern that cannot be read
 */
export async function readIgnoreRules(
  context: string,
  dockerfile: string,
  gitignores: () => Promise<readonly string[]>,
): Promise<IgnoreRules> {
  for (const file of [`${dockerfile}.dockerignore`, '.dockerignore']) {
    const text = await readIfThere(join(context, file));
    if (text !== undefined) return ignoreRules(file, text.split(/\r?\n/));
  }
  return ignoreRules('.gitignore files', await generatedRules(context, await gitignores()));
}

/** @param lines as in a .dockerignore file; the last rule that matches wins */
export function ignoreRules(source: string, lines: readonly string[]): IgnoreRules {
  const matcher = compile(source, [...lines, ...ALWAYS]);
  const kept = lines.flatMap((line) => (/^\s*!/.test(line) ? [literalStart(line)] : []));
  const ignores = (path: string): boolean => matcher.ignores(path);
  return {
    source,
    ignores,
    prunes: (folder) =>
      isGit(folder) || (ignores(folder) && !kept.some((start) => mayMeet(start, `${folder}/`))),
  };
}

function isGit(folder: string): boolean {
  return posix.basename(folder) === '.git';
}

function compile(source: string, lines: string[]): ReturnType<typeof dockerignore.default> {
  try {
    return dockerignore.default({ ignorecase: false }).add(lines);
  } catch (error) {
    throw new ShipError('config', `${source}: a pattern cannot be read`, {
      hint: `correct ${source} in the source tree`,
      cause: error,
    });
  }
}

/** The part of a `!` rule before its first wildcard. */
function literalStart(line: string): string {
  const pattern = line
    .trim()
    .slice(1)
    .trim()
    .replace(/^\.?\//, '');
  return pattern.slice(0, pattern.search(/[*?[\\]|$/));
}

function mayMeet(start: string, folder: string): boolean {
  return start.startsWith(folder) || folder.startsWith(start);
}

async function generatedRules(
  context: string,
  gitignores: readonly string[],
): Promise<readonly string[]> {
  const texts = await Promise.all(
    gitignores.map(async (file) => ({
      folder: posix.dirname(file),
      text: (await readIfThere(join(context, file))) ?? '',
    })),
  );
  const rules = texts.flatMap(({ folder, text }) => rulesOf(folder, text));
  return ['/hack', '.git', '/Makefile.docker', ...rules];
}

/**
 * Turns one .gitignore into .dockerignore rules, which know no "in any folder": a pattern without a
 * slash matches at every depth in git and gets `**` and a slash here; all get the folder of their file.
 *
 * @param folder of the .gitignore, `.` at the top
 */
export function rulesOf(folder: string, text: string): readonly string[] {
  const prefix = folder === '.' ? '' : `${folder}/`;
  return text.split(/\r?\n/).flatMap((line) => {
    if (line.trim() === '' || line.startsWith('#') || line.includes('GIT_VERSION')) return [];
    const not = line.startsWith('!') ? '!' : '';
    const pattern = line.slice(not.length).trimEnd();
    const anywhere = !pattern.replace(/\/$/, '').includes('/');
    return [`${not}${prefix}${anywhere ? '**/' : ''}${pattern.replace(/^\//, '')}`];
  });
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new ShipError('config', `${file} cannot be read: ${error.code}`, { cause: error });
  });
}
