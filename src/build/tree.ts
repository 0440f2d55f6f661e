import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShipError } from '../core/errors.ts';

/** What git says about a folder. Paths are relative to the folder. */
export interface GitState {
  /** 40 hex digits. */
  readonly commit: string;
  /** git's own abbreviation, as `%h` prints it. */
  readonly shortCommit: string;
  /** `%h %aI`: what the Makefile writes into GIT_VERSION. */
  readonly gitVersion: string;
  /** Files that differ from the commit, and new files that git does not ignore. */
  readonly changed: readonly string[];
  /** New files that git ignores; folders end with `/`. */
  readonly ignored: readonly string[];
}

/** The narrow part of git that reading a tree needs. */
export interface Git {
  /** @throws ShipError `config` when the folder is not in a git work tree with a commit */
  state(folder: string, signal?: AbortSignal): Promise<GitState>;
}

/** A source tree whose images are about to be built. */
export interface SourceTree extends GitState {
  /** Absolute path. */
  readonly path: string;
  /** First line of VERSION: `1.19.0-dev`. */
  readonly version: string;
  /** The line of GIT_VERSION, with `-dirty` after the commit when files differ from it. */
  readonly gitVersion: string;
  readonly dirty: boolean;
}

/** Without these a folder is not a Cilium tree. */
export const CILIUM_FILES = [
  'VERSION',
  'images/cilium/Dockerfile',
  'install/kubernetes/cilium/Chart.yaml',
] as const;

/**
 * Reads what identifies a source tree.
 *
 * @param path absolute path of its top folder
 * @param files must exist; VERSION may be left out for a tree of another project
 * @throws ShipError `config` naming the path and everything that is missing
 */
export async function readTree(
  path: string,
  git: Git,
  files: readonly string[] = CILIUM_FILES,
): Promise<SourceTree> {
  await requireFiles(path, files);
  const state = await git.state(path);
  const dirty = state.changed.length > 0;
  return {
    ...state,
    path,
    dirty,
    version: await firstLine(join(path, 'VERSION')),
    gitVersion: dirty ? markDirty(state.gitVersion) : state.gitVersion,
  };
}

/**
 * One line about what the images were made from: `1.19.0-dev at 933785d62, 2 files changed: a, b`.
 * A dirty tree must be named, because `cilium version` prints the commit whatever was changed.
 */
export function describeTree(tree: SourceTree): string {
  const at = `${tree.version} at ${tree.shortCommit}`.trim();
  if (!tree.dirty) return at;
  const count = tree.changed.length;
  const names = tree.changed.slice(0, 5).join(', ');
  const more = count > 5 ? `, and ${count - 5} more` : '';
  return `${at}, ${count} ${count === 1 ? 'file' : 'files'} not committed: ${names}${more}`;
}

async function requireFiles(path: string, files: readonly string[]): Promise<void> {
  if (!(await exists(path))) {
    throw new ShipError('config', `source: there is no folder ${path}`, {
      hint: 'set source in the config to the top folder of the patched Cilium tree',
    });
  }
  const found = await Promise.all(files.map((file) => exists(join(path, file))));
  const missing = files.filter((_, index) => found[index] === false);
  if (missing.length === 0) return;
  throw new ShipError(
    'config',
    `source: ${path} is not a Cilium tree: no ${missing.join(', no ')}`,
    {
      hint: 'set source in the config to the top folder of the patched Cilium tree',
    },
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function firstLine(file: string): Promise<string> {
  if (!(await exists(file))) return '';
  const [line = ''] = (await readFile(file, 'utf8')).split('\n', 1);
  return line.trim();
}

/** `933785d62 2026-01-12T…` → `933785d62-dirty 2026-01-12T…`. */
function markDirty(version: string): string {
  return version.replace(/^\S+/, '$&-dirty');
}
