import { LineCounter, parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { digestOf, isDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), {
  error: 'must be sha256: and 64 hex digits',
});
const text = z.string().max(4096);

const image = z.strictObject({
  name: text,
  digestName: text,
  config: digest,
  manifest: digest,
  layers: z.array(digest).max(256),
});

const content = z.strictObject({
  version: z.literal(1),
  source: z
    .strictObject({ commit: text, version: text, changed: z.array(text).max(100_000) })
    .optional(),
  images: z.record(text, image),
  nodes: z.array(text),
  release: z
    .strictObject({ revision: z.int().min(1), chart: digest, values: digest, manifest: digest })
    .optional(),
});

/** What is supposed to run: made by push and deploy, committed beside the config. */
export type ShipLock = z.output<typeof content>;
export type LockedImage = z.output<typeof image>;

const file = content.extend({ digest });

const MAX_BYTES = 1024 * 1024;
const HEAD = '# Written by ciliumship push and deploy; commit it, do not edit it.\n';
const CONFLICT = /^(<{7}|={7}|>{7})( |$)/;

/**
 * The text of a lock: always written the same way, so that a diff shows what changed and nothing
 * else, with a digest of itself at the end.
 */
export function lockText(lock: ShipLock): string {
  const value = content.parse(lock);
  return `${HEAD}${stringify({ ...value, digest: selfDigest(value) }, { lineWidth: 0, sortMapEntries: false })}`;
}

/**
 * Reads a lock.
 *
 * @param name of the file, for messages
 * @throws ShipError `config` with a line when it is no lock, `integrity` when it was changed by hand
 */
export function parseLock(written: string, name: string): ShipLock {
  if (written.length > MAX_BYTES) throw broken(name, [`it has ${written.length} bytes`]);
  const conflict = written.split('\n').findIndex((line) => CONFLICT.test(line));
  if (conflict >= 0) throw broken(name, [`line ${conflict + 1}: a merge left its marks`]);
  const lines = new LineCounter();
  const document = parseDocument(written, { lineCounter: lines, prettyErrors: false });
  const problems = document.errors.map(
    ({ message, pos }) => `line ${lines.linePos(pos[0]).line}: ${message}`,
  );
  if (problems.length > 0) throw broken(name, problems.slice(0, 5));
  const read = file.safeParse(plain(document, name));
  if (!read.success) {
    throw broken(
      name,
      read.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.')}: ${message}`),
    );
  }
  const { digest: said, ...lock } = read.data;
  if (said !== selfDigest(lock)) throw changed(name);
  return lock;
}

function plain(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw broken(name, ['it uses aliases']);
  }
}

/** Keys in the order of the schema, whatever order they were written in. */
function selfDigest(lock: ShipLock): Digest {
  return digestOf(JSON.stringify(content.parse(lock)));
}

function broken(name: string, details: readonly string[]): ShipError {
  return new ShipError('config', `${name} is no lock file`, {
    details,
    hint: 'take it back from git, or remove it and write a new one: ciliumship push',
  });
}

function changed(name: string): ShipError {
  return new ShipError('integrity', `${name} was changed by hand: its digest does not fit`, {
    hint: 'take it back from git, or remove it and write a new one: ciliumship push',
  });
}
