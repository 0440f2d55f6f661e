import { createHash } from 'node:crypto';
import { ShipError } from './errors.ts';

/** `sha256:` and 64 lowercase hex digits, as OCI writes it. */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** True when `text` is a whole sha256 digest. */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/**
 * @param what names the value in the error
 * @throws ShipError `integrity` when `text` is not a sha256 digest
 */
export function parseDigest(text: string, what: string): Digest {
  if (isDigest(text)) return text;
  throw new ShipError('integrity', `${what} is not a sha256 digest: ${text.slice(0, 80)}`);
}

/** The sha256 of some bytes; text is taken as UTF-8. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The 64 hex digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** The first 12 hex digits: what tags and tables show. */
export function shortDigest(digest: Digest): string {
  return hexOf(digest).slice(0, 12);
}
