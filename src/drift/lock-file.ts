import { stringify } from 'yaml';
import { z } from 'zod';
import { digestOf, isDigest, type Digest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { ImageIdentity } from '../core/image.ts';
import { readDocument } from './lock-text.ts';

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

const source = z.strictObject({
  commit: text,
  /** Of Cilium. */
  version: text,
  /** Of everything that the images were built from. */
  inputs: digest.optional(),
  /** Files that were not committed; the tree was clean when there are none. */
  changed: z.array(text).max(100_000),
});

/** What a rollout came to; digests of values and manifest as `record.ts` makes them. */
export const lockedRelease = z.strictObject({
  revision: z.int().min(1),
  chart: digest,
  chartVersion: text.optional(),
  values: digest,
  manifest: digest,
});

const content = z.strictObject({
  version: z.literal(1, { error: 'is none that this ciliumship knows: 1' }),
  source: source.optional(),
  images: z.record(text, image),
  nodes: z.array(text).max(10_000),
  release: lockedRelease.optional(),
});

/** What is supposed to run: made by push and deploy, committed beside the config. */
export type ShipLock = z.output<typeof content>;
export type LockedImage = z.output<typeof image>;

/** An image of the lock as nodes and gate are asked for it. */
export function lockedIdentity(key: string, locked: LockedImage): ImageIdentity {
  const { name, digestName, manifest, config } = locked;
  return { key, name, digestName, manifest: { digest: manifest }, config: { digest: config } };
}

const file = content.extend({ digest });

/** Bytes; a lock of many images and nodes has some ten thousand. */
export const MAX_LOCK = 1024 * 1024;
/** Problems; a lock is written by no one, so that one of them says enough. */
const MAX_SHOWN = 5;
const HEAD = '# Written by ciliumship push and deploy; commit it, do not edit it.\n';

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
  if (written.length > MAX_LOCK) throw tooLarge(name, written.length);
  const document = readDocument(written, MAX_LOCK);
  if ('problems' in document) throw broken(name, document.problems);
  const read = file.safeParse(document.value);
  if (!read.success) {
    const problems = read.error.issues.slice(0, MAX_SHOWN).map(({ path, message }) => {
      const line = document.lineOf(path);
      return `line ${line}: ${[path.join('.'), message].filter((part) => part !== '').join(': ')}`;
    });
    throw broken(name, problems);
  }
  const { digest: said, ...lock } = read.data;
  if (said !== selfDigest(lock)) throw changed(name, document.lineOf(['digest']));
  return lock;
}

/** Keys in the order of the schema, whatever order they were written in. */
function selfDigest(lock: ShipLock): Digest {
  return digestOf(JSON.stringify(content.parse(lock)));
}

/** The error of a lock that is too long to be one. */
export function tooLarge(name: string, bytes: number): ShipError {
  return broken(name, [`it has ${bytes} bytes; a lock has ${MAX_LOCK} at most`]);
}

function broken(name: string, details: readonly string[]): ShipError {
  return new ShipError('config', `${name} is no lock file`, {
    details,
    hint: 'take it back from git, or remove it and write a new one: ciliumship push',
  });
}

function changed(name: string, line: number): ShipError {
  return new ShipError('integrity', `${name} was changed by hand: its digest does not fit`, {
    details: [`line ${line}: digest: is not that of the lines above`],
    hint: 'take it back from git, or remove it and write a new one: ciliumship push',
  });
}
