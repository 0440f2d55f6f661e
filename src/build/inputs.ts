import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, type Digest } from '../core/digest.ts';
import type { BuildRequest } from './request.ts';
import type { SourceTree } from './tree.ts';

/** A source tree with one digest over everything that images are built from. */
export interface BuiltTree extends SourceTree {
  readonly inputs: Digest;
}

/**
 * One digest over what images are built from: the commit, what differs from it, and what is asked
 * of the build. The same digest is the same input; base images are named by the Dockerfiles. Files
 * that git ignores are not looked into.
 */
export async function withInputs(
  tree: SourceTree,
  requests: readonly BuildRequest[],
): Promise<BuiltTree> {
  const changed = tree.changed.toSorted().map((path) => fingerprint(tree.path, path));
  const asked = requests.map(({ context: _context, ...request }) => request);
  const inputs = [tree.commit, await Promise.all(changed), asked];
  return { ...tree, inputs: digestOf(JSON.stringify(inputs)) };
}

/** What a path is and holds; new folders are named by git without what is in them. */
async function fingerprint(folder: string, path: string): Promise<readonly string[]> {
  const file = join(folder, path);
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) return [path, 'gone'];
  if (found.isSymbolicLink()) return [path, 'link', await readlink(file)];
  if (found.isFile()) return [path, String(found.mode & 0o111), digestOf(await readFile(file))];
  if (!found.isDirectory()) return [path, 'other'];
  const inside = (await readdir(file)).toSorted().map((name) => fingerprint(file, name));
  return [path, ...(await Promise.all(inside)).flat()];
}
