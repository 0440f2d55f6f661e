import { hexOf } from '../../../src/core/digest.ts';
import { digestOf } from '../values.ts';
import type { RawEntry } from './raw-tar.ts';

/** Whole numbers below a limit. */
export type Random = (below: number) => number;

/** An entry of an honest archive. */
export interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Makes a hostile archive of an honest one. */
export type Attack = (entries: readonly Entry[], random: Random) => Buffer;

interface Index {
  readonly manifests: { digest: string; size: number; annotations: Record<string, string> }[];
}

interface Manifest {
  readonly config: { digest: string; size: number };
  readonly layers: { digest: string; size: number }[];
}

export function pick<T>(from: readonly T[], random: Random): T {
  const found = from[random(from.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}

export function inserted(
  entries: readonly Entry[],
  random: Random,
  more: readonly RawEntry[],
): readonly RawEntry[] {
  return (entries as readonly RawEntry[]).toSpliced(random(entries.length + 1), 0, ...more);
}

export function before(
  entries: readonly Entry[],
  random: Random,
  header: RawEntry,
): readonly RawEntry[] {
  return (entries as readonly RawEntry[]).toSpliced(random(entries.length), 0, header);
}

export function replaced(entries: readonly Entry[], name: string, bytes: Buffer): readonly Entry[] {
  return entries.map((entry) => (entry.name === name ? { name, bytes } : entry));
}

export function withIndex(
  entries: readonly Entry[],
  change: (index: Index) => void,
): readonly Entry[] {
  const index = JSON.parse(bytesOf(entries, 'index.json').toString()) as Index;
  change(index);
  return replaced(entries, 'index.json', Buffer.from(JSON.stringify(index)));
}

/** Changes the manifest of one image, and all that names it. */
export function withManifest(
  entries: readonly Entry[],
  random: Random,
  change: (manifest: Manifest) => void,
): readonly Entry[] {
  const index = JSON.parse(bytesOf(entries, 'index.json').toString()) as Index;
  const old = pick(index.manifests, random).digest;
  const name = `blobs/sha256/${old.slice(7)}`;
  const manifest = JSON.parse(bytesOf(entries, name).toString()) as Manifest;
  change(manifest);
  const blob = blobEntry(Buffer.from(JSON.stringify(manifest)));
  const changed = withIndex(entries, ({ manifests }) => {
    for (const one of manifests.filter(({ digest }) => digest === old)) {
      one.digest = `sha256:${blob.name.slice(-64)}`;
      one.size = blob.bytes.length;
    }
  });
  return changed.map((entry) => (entry.name === name ? blob : entry));
}

function bytesOf(entries: readonly Entry[], name: string): Buffer {
  const found = entries.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no ${name} in the honest archive`);
  return found.bytes;
}

export function blobEntry(bytes: Buffer): Entry {
  return { name: `blobs/sha256/${hexOf(digestOf(bytes))}`, bytes };
}
