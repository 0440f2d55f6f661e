import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { filesBelow, hashOf } from './cache.ts';
import { sh } from './shell.ts';

/** The sample tree as a repository of its own: a copy of `lab/cilium` with its Go modules. */

const SOURCE = join(import.meta.dirname, 'cilium');

/** Lines from the first word to the second are the patch; a stock tree is without them. */
const PATCH = /^.*\bBEGIN vxlanAcceleration\b[^]*?\bEND vxlanAcceleration\b.*\n/gm;
const SCHEMA = 'install/kubernetes/cilium/values.schema.json';

/** Always the same, so that the same files are the same commit and give the same images. */
const DATE = '2026-01-01T00:00:00Z';
const AUTHOR = [
  '-c',
  'user.name=lab',
  '-c',
  'user.email=lab@localhost',
  '-c',
  'commit.gpgsign=false',
];

export interface TreeOptions {
  /** Leaves the patch (vxlanAcceleration) out of chart and agent; undefined keeps what is there. */
  readonly stock?: boolean | undefined;
}

/** True when the tree in a folder was written without the patch. */
export function isStock(folder: string): boolean {
  return existsSync(join(folder, '.git', 'lab-stock'));
}

/**
 * Writes the sample tree into a folder, with one commit. A tree that is there stays as it is when
 * it is up to date, or when someone has changed it.
 *
 * @returns what was done, in a few words
 */
export async function writeTree(folder: string, options: TreeOptions = {}): Promise<string> {
  const stock = options.stock ?? isStock(folder);
  const hash = hashOf([...filesBelow(SOURCE), import.meta.filename], [String(stock)]);
  const stamp = join(folder, '.git', 'lab-hash');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return 'up to date';
  if (existsSync(stamp) && (await isChanged(folder))) {
    if (stock === isStock(folder)) {
      return `kept, since it was changed; to get it as it was: rm -r ${folder}`;
    }
    throw new Error(`the sample tree was changed and stays\n  next: rm -r ${folder}`);
  }
  const part = `${folder}.part-${process.pid}`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  cpSync(SOURCE, part, { recursive: true, filter: (path) => path !== join(SOURCE, 'vendor') });
  if (stock) await removePatch(part);
  await sh('go', ['-C', part, 'mod', 'vendor']);
  await commit(part);
  writeFileSync(join(part, '.git', 'lab-hash'), hash);
  if (stock) writeFileSync(join(part, '.git', 'lab-stock'), '');
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  return stock ? 'written, without the patch' : 'written';
}

/** True when the tree has files or commits that `writeTree` did not make. */
export async function isChanged(folder: string): Promise<boolean> {
  const dirty = await sh('git', ['-C', folder, 'status', '--porcelain']);
  const commits = await sh('git', ['-C', folder, 'rev-list', '--count', 'HEAD']);
  return dirty !== '' || commits !== '1';
}

async function commit(folder: string): Promise<void> {
  const git = ['git', '-C', folder, ...AUTHOR];
  await sh('git', ['-c', 'init.defaultBranch=main', 'init', '--quiet', folder]);
  // Forced: vendored modules bring ignore files of their own.
  await sh('git', ['-C', folder, 'add', '--all', '--force']);
  const dates = [`GIT_AUTHOR_DATE=${DATE}`, `GIT_COMMITTER_DATE=${DATE}`];
  await sh('env', [...dates, ...git, 'commit', '--quiet', '--no-verify', '-m', 'The sample tree']);
}

async function removePatch(folder: string): Promise<void> {
  for (const file of filesBelow(folder)) {
    const text = readFileSync(file, 'utf8');
    const stock = file.endsWith(SCHEMA) ? withoutProperty(text) : text.replace(PATCH, '');
    if (stock !== text) writeFileSync(file, stock);
  }
  // Columns of what is left may line up anew.
  await sh('go', ['-C', folder, 'fmt', './...']);
}

function withoutProperty(schema: string): string {
  const parsed = JSON.parse(schema) as { properties?: Record<string, unknown> };
  delete parsed.properties?.['vxlanAcceleration'];
  return `${JSON.stringify(parsed, null, 2)}\n`;
}
