import { existsSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { CONFIG_NAME } from '../../config/load.ts';
import { ShipError } from '../../core/errors.ts';
import { quoteWord } from '../../core/quote.ts';
import { readIfThere } from '../../system/replace-file.ts';

/** A file that `init` makes, or one that it leaves as it is. */
export interface InitFile {
  readonly path: string;
  readonly text: string;
  readonly state: 'new' | 'kept' | 'added to';
}

const VALUES_NAME = 'cilium-values.yaml';
/** Receipts and logs of evidence are nobody else's. */
const IGNORED = '.ciliumship/';

/**
 * Path of the config that is being made.
 *
 * @throws ShipError `usage` when there is one already
 */
export function freshConfig(named: string | undefined, from: string): string {
  const file = resolve(from, named ?? CONFIG_NAME);
  if (!existsSync(dirname(file))) {
    throw new ShipError('usage', `there is no folder ${dirname(file)}`, {
      hint: `make it first: mkdir -p ${quoteWord(dirname(file))}`,
    });
  }
  if (!existsSync(file)) return file;
  throw new ShipError('usage', `${file} is there already, and init overwrites nothing`, {
    hint: `see what it comes to: ciliumship config -c ${quoteWord(file)} (or make another: ciliumship init -c FILE)`,
  });
}

/** Where the values of a config go, beside it. */
export function valuesPath(config: string): string {
  return join(dirname(config), VALUES_NAME);
}

/** A file with a text of ours; one that is there keeps its own. Throws as `readIfThere`. */
export async function fileOf(path: string, text: string): Promise<InitFile> {
  const found = await readIfThere(path);
  return found === undefined ? { path, text, state: 'new' } : { path, text: found, state: 'kept' };
}

/** `.gitignore` with our line; what stands in it stays. Throws as `readIfThere`. */
export async function ignoreFile(config: string): Promise<InitFile> {
  const path = join(dirname(config), '.gitignore');
  const found = await readIfThere(path);
  if (found === undefined) return { path, text: `${IGNORED}\n`, state: 'new' };
  if (found.split('\n').some((line) => line.trim() === IGNORED)) {
    return { path, text: found, state: 'kept' };
  }
  const gap = found === '' || found.endsWith('\n') ? '' : '\n';
  return { path, text: `${gap}${IGNORED}\n`, state: 'added to' };
}

/**
 * Writes what is new. The config comes last: a run that is stopped half way can be run again.
 *
 * @throws ShipError `config` when one cannot be written
 */
export async function writeFiles(files: readonly InitFile[]): Promise<void> {
  for (const { path, text, state } of files.toReversed()) {
    if (state === 'kept') continue;
    try {
      // `wx`: what appeared meanwhile is not ours to overwrite.
      await (state === 'new' ? writeFile(path, text, { flag: 'wx' }) : appendFile(path, text));
    } catch (cause) {
      throw new ShipError('config', `cannot write ${path}`, {
        cause,
        hint: 'look at its folder, then run the same command again',
      });
    }
  }
}

/** `wrote ciliumship.yaml, cilium-values.yaml` and what was left alone. */
export function filesText(files: readonly InitFile[], from: string): string {
  const named = (states: readonly InitFile['state'][]): string =>
    files
      .filter(({ state }) => states.includes(state))
      .map(({ path }) => relative(from, path))
      .join(', ');
  const kept = named(['kept']);
  return [`wrote ${named(['new', 'added to'])}`, ...(kept === '' ? [] : [`kept ${kept}`])].join(
    ' · ',
  );
}
