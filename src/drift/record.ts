import { gunzipSync, gzipSync } from 'node:zlib';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { digestOf, type Digest } from '../core/digest.ts';
import { documentsOf } from '../core/manifest.ts';
import { lockedRelease } from './lock-file.ts';

/**
 * What the last rollout of ciliumship applied, kept in a ConfigMap of the cluster: whoever may read
 * that needs no right to the Secrets in which Helm keeps the same.
 */
export type ReleaseRecord = z.output<typeof schema>;

/** Nobody has the chart of a revision that was gone back to. */
const schema = z.object({ version: z.literal(1), ...lockedRelease.partial({ chart: true }).shape });

/** Bytes of a manifest; a ConfigMap cannot hold more anyway. */
const MAX_MANIFEST = 16 * 1024 * 1024;

/** Name of the ConfigMap of a release. */
export function recordName(release: string): string {
  return `ciliumship-${release}`;
}

/**
 * What is written into the ConfigMap. The same release gives the same text.
 *
 * @param manifest as Helm applied it; its Secrets are left out
 */
export function recordData(
  release: Omit<ReleaseRecord, 'version'>,
  manifest: string,
): Readonly<Record<string, string>> {
  const record = schema.parse({ version: 1, ...release });
  return {
    release: JSON.stringify(record, undefined, 2),
    'manifest.gz': gzipSync(withoutSecrets(manifest)).toString('base64'),
  };
}

/**
 * Reads it again.
 *
 * @returns undefined when it is no such record, or its manifest is not the one that it names
 */
export function parseRecord(
  data: Readonly<Record<string, string>>,
): { readonly release: ReleaseRecord; readonly manifest: string } | undefined {
  try {
    const release = schema.parse(JSON.parse(data['release'] ?? ''));
    const packed = Buffer.from(data['manifest.gz'] ?? '', 'base64');
    const manifest = gunzipSync(packed, { maxOutputLength: MAX_MANIFEST }).toString();
    return manifestDigest(manifest) === release.manifest ? { release, manifest } : undefined;
  } catch {
    return undefined;
  }
}

/** The digest of a manifest but for its Secrets, which may be made anew whenever it is rendered. */
export function manifestDigest(manifest: string): Digest {
  return digestOf(withoutSecrets(manifest));
}

/** A digest of values that does not depend on the order of their keys. */
export function valuesDigest(values: unknown): Digest {
  return digestOf(JSON.stringify(sorted(values)) ?? '');
}

function withoutSecrets(manifest: string): string {
  const kept = documentsOf(manifest).filter((document) => !isSecret(document));
  return kept.map((document) => `---\n${document}\n`).join('');
}

function isSecret(document: string): boolean {
  if (!/\bSecret\b/.test(document)) return false;
  return parseAllDocuments(document).some((one) => {
    const object: unknown = one.toJS();
    return typeof object === 'object' && object !== null && 'kind' in object
      ? object.kind === 'Secret'
      : false;
  });
}

/** A value that is null says the same as one that is not there. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(
    entries
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)] as const),
  );
}
