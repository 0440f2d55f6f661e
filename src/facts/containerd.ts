import { z } from 'zod';
import { isDigest, type Digest } from '../core/digest.ts';

/** Parsers of what `ctr` prints. It has no JSON output; the columns are the same from 1.6 to 2.x. */

export interface StoredName {
  readonly ref: string;
  /** Digest of the manifest or index that the name points at. */
  readonly digest: Digest;
  readonly labels: ReadonlyMap<string, string>;
}

/** Digests of `ctr content ls -q`, one a line. */
export function parseContent(text: string): ReadonlySet<Digest> {
  return new Set(rows(text).filter(isDigest));
}

/** Rows of `ctr images ls`: REF TYPE DIGEST SIZE PLATFORMS LABELS. */
export function parseImages(text: string): ReadonlyMap<string, StoredName> {
  const names = rows(text).flatMap((row) => {
    const [ref = '', , digest = '', ...rest] = row.split(/\s+/);
    return isDigest(digest) ? [{ ref, digest, labels: parseLabels(rest.at(-1) ?? '-') }] : [];
  });
  return new Map(names.map((name) => [name.ref, name]));
}

function parseLabels(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').filter((pair) => pair.includes('='));
  return new Map(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

export interface CheckedName {
  readonly ref: string;
  readonly digest: Digest;
  readonly complete: boolean;
  readonly unpacked: boolean;
}

const CHECKED = /^(\S+)\s+\S+\s+(sha256:[0-9a-f]{64})\s+(\w+) \([^)]*\).*\s(true|false)$/;

/** Rows of `ctr images check`: REF TYPE DIGEST STATUS SIZE UNPACKED. */
export function parseCheck(text: string): ReadonlyMap<string, CheckedName> {
  const names = rows(text).flatMap((row) => {
    const [, ref = '', digest = '', status, unpacked] = CHECKED.exec(row) ?? [];
    if (!isDigest(digest)) return [];
    return [{ ref, digest, complete: status === 'complete', unpacked: unpacked === 'true' }];
  });
  return new Map(names.map((name) => [name.ref, name]));
}

/** A lease of containerd, which keeps content for whoever works on it. */
export interface Lease {
  readonly id: string;
  /** Seconds since 1970, by the node's own clock. */
  readonly created: number;
}

/** Rows of `ctr leases ls` that will expire by themselves: ID, CREATED AT, LABELS. */
export function parseLeases(text: string): readonly Lease[] {
  return rows(text).flatMap((row) => {
    const [id = '', time = '', labels = ''] = row.split(/\s+/);
    const created = Date.parse(time) / 1000;
    return labels.includes('containerd.io/gc.expire=') && created > 0 ? [{ id, created }] : [];
  });
}

/** `1.6.20` of the `Server:` part of `ctr version`, or undefined when it prints none. */
export function parseServerVersion(text: string): string | undefined {
  return /Server:[\s\S]*?Version:\s+v?(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

/** A layer that an image on a node has. Size in bytes. */
export interface StoredLayer {
  readonly digest: string;
  readonly size: number;
}

const manifest = z.object({
  layers: z.array(z.object({ digest: z.string(), size: z.number() })).default([]),
});

/** Layers of a manifest that `ctr content get` printed; none when it printed something else. */
export function parseLayers(text: string): readonly StoredLayer[] {
  try {
    return manifest.parse(JSON.parse(text)).layers;
  } catch {
    return [];
  }
}

function rows(text: string): readonly string[] {
  return text
    .split('\n')
    .map((row) => row.trim())
    .filter((row) => row !== '');
}
