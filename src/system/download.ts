import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { diskError } from '../core/disk.ts';
import { ShipError } from '../core/errors.ts';
import { cacheFolder } from './folders.ts';

/**
 * Fetches a file once: it is kept in the cache under its sha256, and whatever else the address
 * gives is refused.
 *
 * @param what names the file in errors
 * @returns its path in the cache
 * @throws ShipError `network`, `integrity` when the bytes are others, `build` when the cache takes
 * nothing; the reason of `signal`
 */
export async function download(
  what: string,
  url: string,
  sha256: string,
  signal: AbortSignal,
): Promise<string> {
  const folder = join(cacheFolder(), 'downloads');
  const file = join(folder, sha256);
  if (await stat(file).catch(() => undefined)) return file;
  const part = `${file}.${process.pid}.part`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const got = await fetchTo(part, what, url, signal);
    if (got !== sha256) throw otherBytes(what, url, sha256, got);
    await rename(part, file);
    return file;
  } catch (error) {
    throw diskError(folder, error);
  } finally {
    await rm(part, { force: true });
  }
}

async function fetchTo(
  part: string,
  what: string,
  url: string,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  const hashed = async function* () {
    for await (const chunk of bodyOf(what, url, signal)) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(hashed, createWriteStream(part, { mode: 0o600 }));
  return hash.digest('hex');
}

/** What an address gives. Only what fails here is the network's fault, and no full disk of ours. */
async function* bodyOf(what: string, url: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    const answer = await fetch(url, { signal });
    if (!answer.ok || answer.body === null) throw new Error(`it answers ${answer.status}`);
    yield* answer.body;
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachable(what, url, cause);
  }
}

function unreachable(what: string, url: string, cause: unknown): ShipError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ShipError('network', `cannot fetch ${what} from ${url}: ${why}`, {
    cause,
    retryable: true,
    hint: `fetch it on a machine that can, and give its path in the config (${what})`,
  });
}

function otherBytes(what: string, url: string, wanted: string, got: string): ShipError {
  return new ShipError('integrity', `${url} has sha256 ${got}, and ${what}Sha256 is ${wanted}`, {
    hint: `look up the sum of that release; do not copy it from here unless you trust the file`,
  });
}
