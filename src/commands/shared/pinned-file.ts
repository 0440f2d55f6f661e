import { access, constants } from 'node:fs/promises';
import { isUrl, type Pinned } from '../../config/normalise.ts';
import { hexOf } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import { hashFile } from '../../image/hash.ts';
import { download } from '../../system/download.ts';
import type { Context } from '../command.ts';

/**
 * Path of a file that the config names, fetched when it is elsewhere, and seen to be what its sha256
 * says.
 *
 * @param key of the config: `cni.flannel`
 * @throws ShipError `config` when the config does not name it or there is none, `network`,
 * `integrity`
 */
export async function pinnedFile(
  { signal }: Pick<Context, 'signal'>,
  key: string,
  pinned: Pinned | undefined,
): Promise<string> {
  if (pinned === undefined) throw notNamed(key);
  const { from, sha256 } = pinned;
  if (isUrl(from)) return download(key, from, sha256 ?? '', signal);
  if (sha256 === undefined) return readable(key, from);
  const found = await hashOf(key, from);
  if (found === sha256) return from;
  throw new ShipError('integrity', `${from} has sha256 ${found}, and ${key} says ${sha256}`, {
    hint: `look which of the two is right, then mend ${key} in the config`,
  });
}

function notNamed(key: string): ShipError {
  return new ShipError('config', `the config names no ${key}`, {
    hint: `add ${key} to the config: a path, or a URL with its sha256 (docs/configuration.md)`,
  });
}

async function hashOf(key: string, file: string): Promise<string> {
  const { digest } = await hashFile(file).catch((cause: unknown) => unreadable(key, file, cause));
  return hexOf(digest);
}

async function readable(key: string, file: string): Promise<string> {
  await access(file, constants.R_OK).catch((cause: unknown) => unreadable(key, file, cause));
  return file;
}

function unreadable(key: string, file: string, cause: unknown): never {
  throw new ShipError('config', `${key}: cannot read ${file}`, {
    cause,
    hint: `mend ${key} in the config; paths count from its folder`,
  });
}
