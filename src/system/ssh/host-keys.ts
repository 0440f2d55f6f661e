import { createHash } from 'node:crypto';
import { ShipError } from '../../core/errors.ts';
import type { KnownHost } from './known-hosts.ts';

export type Verdict = 'known' | 'unknown' | 'changed' | 'revoked' | 'certificate';

/**
 * Judges the key that a server showed, as OpenSSH would (D1, D2); a key of a type that was not
 * known before counts as changed.
 *
 * @param key the server's public key in SSH wire form
 */
export function judgeKey({ keys, portless }: KnownHost, key: Buffer): Verdict {
  const shown = key.toString('base64');
  const all = [...keys, ...portless];
  const listed = (list: KnownHost['keys'], marker?: string): boolean =>
    list.some((line) => line.key === shown && line.marker === marker);
  if (listed(all, '@revoked')) return 'revoked';
  if (listed(keys)) return 'known';
  if (keys.some(({ marker }) => marker === undefined)) return 'changed';
  if (listed(portless)) return 'known';
  return all.some(({ marker }) => marker === '@cert-authority') ? 'certificate' : 'unknown';
}

/** The error for a key that is not trusted. Nothing was sent to the server yet. */
export function refusal(
  node: string,
  known: KnownHost,
  key: Buffer,
  verdict: Exclude<Verdict, 'known'>,
): ShipError {
  const [message, hint] = explain(known, describeKey(key), verdict);
  return new ShipError('identity', `${node}: ${message}`, { hint });
}

function explain(
  { name, firstFile }: KnownHost,
  key: string,
  verdict: Exclude<Verdict, 'known'>,
): readonly [string, string] {
  const file = firstFile ?? '~/.ssh/known_hosts';
  const scan = `ssh-keyscan -p ${portOf(name)} ${hostOf(name)} >> ${file}`;
  switch (verdict) {
    case 'unknown':
      return [
        `the host key of ${name} is unknown: ${key}`,
        `compare it with the key on the node, then run: ${scan}`,
      ];
    case 'changed':
      return [
        `the host key of ${name} has changed to ${key}`,
        `if the node was set up anew, run: ssh-keygen -R '${name}' -f ${file}`,
      ];
    case 'revoked':
      return [`the host key of ${name} is revoked: ${key}`, 'give the node a new host key'];
    default:
      return [
        `${name} is known only through @cert-authority, which is not supported`,
        `add its own key: ${scan}`,
      ];
  }
}

/** `ssh-ed25519 SHA256:…`, as OpenSSH prints it. */
function describeKey(key: Buffer): string {
  const hash = createHash('sha256').update(key).digest('base64').replace(/=+$/, '');
  return `${keyType(key)} SHA256:${hash}`;
}

/** A key in wire form as known_hosts has it: `type base64`. */
export function publicLine(key: Buffer): string {
  return `${keyType(key)} ${key.toString('base64')}`;
}

/** The type that a public key names in its first field. */
function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return key.subarray(4, 4 + length).toString('latin1');
}

function hostOf(name: string): string {
  return name.replace(/^\[(.*)\]:\d+$/, '$1');
}

function portOf(name: string): string {
  return /\]:(\d+)$/.exec(name)?.[1] ?? '22';
}
