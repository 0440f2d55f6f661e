import { ShipError } from '../core/errors.ts';
import { runProcess } from './process.ts';

/** What git says about a folder. Paths are relative to the folder. */
export interface GitFolder {
  readonly commit: string;
  readonly shortCommit: string;
  /** `%h %aI`. */
  readonly gitVersion: string;
  readonly changed: readonly string[];
  readonly ignored: readonly string[];
}

/** Variables with which a hook or a user's shell would point git at another repository. */
const SCRUBBED = {
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_PREFIX: undefined,
  GIT_OPTIONAL_LOCKS: '0',
  LC_ALL: 'C',
} as const;

/** Milliseconds for the largest trees on the slowest disks. */
const TIMEOUT = 60_000;

/** Reads a folder of a git work tree through git's command line. Nothing is changed. */
export const gitReader = {
  /**
   * @param folder absolute path; may lie below the top of its work tree
   * @throws ShipError `config` when it is in no work tree, or there is no commit yet; `usage` when
   * git is not installed
   */
  async state(folder: string, signal?: AbortSignal): Promise<GitFolder> {
    const [commit = '', shortCommit = '', gitVersion = ''] = (
      await git(folder, signal, 'show', '-s', '--format=%H%n%h%n%h %aI', 'HEAD')
    ).split('\n');
    const status = await git(
      folder,
      signal,
      'status',
      '--porcelain=v1',
      '-z',
      '--no-renames',
      '--untracked-files=normal',
      '--ignored=traditional',
      '--',
      '.',
    );
    const prefix = (await git(folder, signal, 'rev-parse', '--show-prefix')).trim();
    return { commit, shortCommit, gitVersion, ...parseStatus(status, prefix) };
  },
};

/**
 * @param status output of `git status --porcelain=v1 -z`, paths relative to the top
 * @param prefix of the folder, with `/` at its end, or empty
 */
export function parseStatus(
  status: string,
  prefix: string,
): { readonly changed: readonly string[]; readonly ignored: readonly string[] } {
  const entries = status
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => ({ state: entry.slice(0, 2), path: strip(entry.slice(3), prefix) }));
  const pathsOf = (ignored: boolean): readonly string[] =>
    entries.filter(({ state }) => (state === '!!') === ignored).map(({ path }) => path);
  return { changed: pathsOf(false), ignored: pathsOf(true) };
}

function strip(path: string, prefix: string): string {
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}

function slow(folder: string): ShipError {
  return new ShipError('config', `source: git did not finish in ${TIMEOUT / 1000} s in ${folder}`, {
    hint: `see what it does there: git -C ${folder} status; a file system over the network is slow`,
  });
}

async function git(
  folder: string,
  signal: AbortSignal | undefined,
  ...args: readonly string[]
): Promise<string> {
  const found = await runProcess(['git', '-C', folder, ...args], {
    env: SCRUBBED,
    timeout: TIMEOUT,
    late: () => slow(folder),
    accept: [128],
    ...(signal === undefined ? {} : { signal }),
  });
  if (found.code === 0) return found.stdout;
  throw new ShipError('config', `source: git cannot read ${folder}: ${found.stderr.trim()}`, {
    hint: `make it a git work tree with a commit: git -C ${folder} init && git -C ${folder} add -A && git -C ${folder} commit -m base`,
  });
}
