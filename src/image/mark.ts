import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { HEARTBEAT, isDead, overtaken, parseHolder, type Holder, type Self } from '../core/lock.ts';
import { diskError } from '../core/disk.ts';

/** How long to watch a heartbeat, and how often to look. Milliseconds. */
export interface Watching {
  /** A heartbeat that stands still for this long is a holder's that is gone. */
  readonly still: number;
  readonly pause: number;
  /** A living process of this machine is a holder at once, without being watched. */
  readonly prompt: boolean;
}

export const WATCHING: Watching = { still: 30_000, pause: 1000, prompt: true };

/** A file of ours that says who we are, touched every ten seconds while we live. */
export interface Mark extends AsyncDisposable {
  /** @throws ShipError `locked` when someone took it for a dead one's and removed it */
  requireHeld(): Promise<void>;
}

/** Makes a mark. @returns undefined when there is one already */
export async function setMark(file: string, self: Self): Promise<Mark | undefined> {
  const id = randomBytes(8).toString('hex');
  const text = JSON.stringify({ ...self.holder, id } satisfies Holder);
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw diskError(file, error);
  }
  const isOurs = async (): Promise<boolean> => (await read(file)) === text;
  const beat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT);
  beat.unref();
  return {
    requireHeld: async () => {
      if (!(await isOurs())) throw overtaken(file);
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(beat);
      if (await isOurs()) await rm(file, { force: true });
    },
  };
}

/**
 * Who holds a mark. One of a holder that is gone is removed: a dead process of this machine, or
 * anyone else whose heartbeat stood still while we watched; clocks are never compared (design §8).
 *
 * @returns undefined when nobody does (any more)
 */
export async function holderOf(
  file: string,
  self: Self,
  signal: AbortSignal,
  { still, pause, prompt }: Watching = WATCHING,
): Promise<Holder | undefined> {
  let seen: { readonly beat: number; readonly at: number } | undefined;
  for (;;) {
    const text = await read(file);
    const beat = (await stat(file).catch(() => undefined))?.mtimeMs;
    if (text === undefined || beat === undefined) return undefined;
    const holder = parseHolder(text);
    const near = holder?.machine === self.holder.machine;
    if (isDead(holder, self)) return removeMark(file, text);
    if ((prompt && near) || (seen !== undefined && seen.beat !== beat)) return holder;
    seen ??= { beat, at: performance.now() };
    if (performance.now() - seen.at >= still) return removeMark(file, text);
    await sleep(pause, undefined, { signal });
  }
}

/** Removes a mark while it still says `text`; another one's that came meanwhile is put back. */
async function removeMark(file: string, text: string): Promise<undefined> {
  const aside = `${file}.${randomBytes(6).toString('hex')}.gone`;
  try {
    await rename(file, aside);
    if ((await read(aside)) !== text) await link(aside, file);
  } catch {
    // Someone else removed it first, or took its place: the next look tells.
  } finally {
    await rm(aside, { force: true });
  }
}

function read(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
