import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stateFolder } from './folders.ts';

/** Milliseconds that a rate is believed: a laptop is in another network by then. */
const BELIEVED = 60 * 60_000;

/** Bytes and seconds below which a transfer says more about its beginning than about the link. */
const TELLING = { bytes: 1_000_000, seconds: 1 };

/**
 * Bytes a second at which the last transfer over a link went, when that was within the last hour.
 *
 * @param link any text that names it
 */
export async function recallRate(link: string): Promise<number | undefined> {
  const file = rateFile(link);
  try {
    const age = Date.now() - (await stat(file)).mtimeMs;
    // Half a file has no end of line.
    const [, rate] = /^(\d+)\n$/.exec(await readFile(file, 'utf8')) ?? [];
    return rate !== undefined && age < BELIEVED ? Number(rate) : undefined;
  } catch {
    return undefined;
  }
}

/** Remembers a transfer when it says something about the link. */
export async function rememberRate(
  link: string,
  { bytes, seconds }: { readonly bytes: number; readonly seconds: number },
): Promise<void> {
  if (bytes < TELLING.bytes || seconds < TELLING.seconds) return;
  await mkdir(ratesFolder(), { recursive: true, mode: 0o700 });
  await writeFile(rateFile(link), `${Math.ceil(bytes / seconds)}\n`);
}

/** A file for each link, because transfers end at the same moment. */
function rateFile(link: string): string {
  return join(ratesFolder(), createHash('sha256').update(link).digest('hex').slice(0, 32));
}

function ratesFolder(): string {
  return join(stateFolder(), 'rates');
}
