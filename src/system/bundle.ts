import { link, open, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import streams from 'node:stream/promises';
import zlib from 'node:zlib';
import { pack } from 'tar-stream';
import { ShipError } from '../core/errors.ts';

/**
 * Writes texts as one `.tar.gz` that only its owner may read. What is there already stays.
 *
 * @param texts path inside of the archive → text
 * @returns bytes of the archive
 * @throws ShipError `usage` when there is a file of that name, or none can be written
 */
export async function writeBundle(
  file: string,
  texts: ReadonlyMap<string, string>,
): Promise<number> {
  const part = join(dirname(file), `.${basename(file)}.${process.pid}.part`);
  try {
    const handle = await open(part, 'wx', 0o600);
    const tar = pack();
    for (const [name, text] of texts) tar.entry({ name, mode: 0o600 }, text);
    tar.finalize();
    await streams.pipeline(tar, zlib.createGzip(), handle.createWriteStream({ flush: true }));
    const { size } = await stat(part);
    // A link is made only where no file of that name is.
    await link(part, file);
    return size;
  } catch (cause) {
    throw refused(file, cause);
  } finally {
    await rm(part, { force: true });
  }
}

function refused(file: string, cause: unknown): ShipError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  const [why, hint] =
    code === 'EEXIST'
      ? ['it is there already', 'name a file that is not there yet']
      : [code, 'name a file in a folder that you may write to'];
  const next = `${hint}: ciliumship report ./report-2.tar.gz`;
  return new ShipError('usage', `cannot write ${file}: ${why}`, { hint: next, cause });
}
