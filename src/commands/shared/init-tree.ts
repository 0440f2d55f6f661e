import { stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { CILIUM_FILES, readTree, type SourceTree } from '../../build/tree.ts';
import { ShipError } from '../../core/errors.ts';
import type { Asker } from '../../system/ask.ts';
import { gitReader } from '../../system/git.ts';

/**
 * The source tree that was named, or one that lies near.
 *
 * @param folder of the config that is being made
 * @param asker undefined when nobody can be asked
 * @throws ShipError `usage` when none is near, `config` when it is not a Cilium tree
 */
export async function chooseTree(
  named: string | undefined,
  folder: string,
  asker: Asker | undefined,
): Promise<SourceTree> {
  const near = named ?? (await nearTree(folder));
  const shown = near === undefined ? undefined : sourceText(near, folder);
  const read = async (answer: string | undefined): Promise<SourceTree> => {
    if (answer === undefined || answer === '') throw noTree(folder);
    return readTree(resolve(folder, answer), gitReader);
  };
  if (named !== undefined || asker === undefined) return read(shown);
  return asker.until(async () => read(await asker.ask('Source tree, your patched Cilium', shown)));
}

function noTree(folder: string): ShipError {
  return new ShipError('usage', `no Cilium tree lies in or near ${folder}`, {
    hint: 'name it: ciliumship init --source FOLDER',
  });
}

/** A tree here, in a folder above, or beside us under its usual name. */
async function nearTree(folder: string): Promise<string | undefined> {
  const above: string[] = [];
  for (let at = folder; at !== dirname(at); at = dirname(at)) above.push(at);
  const places = [...above, join(folder, 'cilium'), join(folder, '../cilium')];
  for (const place of places) if (await isTree(place)) return place;
  return undefined;
}

async function isTree(folder: string): Promise<boolean> {
  const found = await Promise.all(
    CILIUM_FILES.map((file) => stat(join(folder, file)).catch(() => undefined)),
  );
  return found.every((each) => each !== undefined);
}

/** A path as a person would write it: from the config's folder when that is near. */
export function sourceText(path: string, folder: string): string {
  const near = relative(folder, resolve(folder, path));
  if (near === '') return '.';
  return near.startsWith('../..') ? resolve(folder, path) : near;
}
