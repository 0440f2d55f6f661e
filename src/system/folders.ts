import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { homedir } from 'node:os';
import { ShipError } from '../core/errors.ts';

const KEPT_LOGS = 100;

/**
 * Cache folder: the blob store lives here. On every system the XDG variables decide, because the
 * people this is for keep their dotfiles that way on macOS too.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'ciliumship');
}

/** State folder: logs and receipts. */
export function stateFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'ciliumship');
}

/**
 * Makes the folder of logs, removes all but the newest, and returns the path of a new log.
 *
 * @param now names the file
 */
export function newLogFile(now: Date, env: NodeJS.ProcessEnv = process.env): string {
  const folder = join(stateFolder(env), 'logs');
  makeFolder(folder);
  const old = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort();
  for (const name of old.slice(0, Math.max(0, old.length - KEPT_LOGS + 1))) {
    rmSync(join(folder, name), { force: true });
  }
  const stamp = now.toISOString().replaceAll(':', '-').replace('Z', '');
  return join(folder, `${stamp}-${process.pid}.log`);
}

/** @throws ShipError `usage` when the folder cannot be made */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ShipError('usage', `cannot write the log: no folder ${folder} can be made`, {
      cause,
      hint: 'set XDG_STATE_HOME to a folder that you may write to',
    });
  }
}
