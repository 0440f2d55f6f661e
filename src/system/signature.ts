import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { ShipError } from '../core/errors.ts';
import type { Finished } from '../core/remote.ts';
import { lastLines } from '../core/text.ts';
import { runProcess } from './process.ts';

/** A signature that was made for something else is none of an archive. */
const NAMESPACE = 'ciliumship-archive';
const MAX_SIGNATURE = 16 * 1024;
const ENDED_BADLY = [1, 255];
/** Milliseconds; a key may ask for its passphrase, or to be touched. */
const SIGN_WITHIN = 120_000;

/** Where the signature of a file lies: where ssh-keygen puts it. */
export function signaturePath(file: string): string {
  return `${file}.sig`;
}

/**
 * Looks whether a key can be read, before minutes are spent on what it is to sign.
 *
 * @param key a private key, or a public one whose private half the agent has
 * @throws ShipError `usage`
 */
export async function requireKey(key: string): Promise<void> {
  const { code, stderr } = await keygen(['-l', '-f', key], '');
  if (code === 0) return;
  throw new ShipError('usage', `${key} is no SSH key that can be read`, {
    details: lastLines(stderr, 2),
    hint: 'name a private key, or the public one of a key in your agent: --sign ~/.ssh/id_ed25519.pub',
  });
}

/**
 * Signs a message with an SSH key.
 *
 * @param key as `requireKey`
 * @returns the signature as ssh-keygen writes it
 * @throws ShipError `identity`
 */
export async function sign(
  message: Uint8Array | string,
  key: string,
  signal: AbortSignal,
): Promise<string> {
  const { code, stdout, stderr } = await keygen(
    ['-Y', 'sign', '-f', key, '-n', NAMESPACE],
    message,
    signal,
  );
  if (code === 0) return stdout;
  throw new ShipError('identity', `nothing was signed with ${key}`, {
    details: lastLines(stderr, 3),
    hint: `see that the agent has the key: ssh-add -l; add it: ssh-add ${key}`,
  });
}

/** Who may sign: a file as `gpg.ssh.allowedSignersFile` of git names it, see ssh-keygen(1). */
export interface Trusted {
  /** The signature. */
  readonly signature: string;
  readonly allowedSigners: string;
}

/**
 * Looks whether both files are there, before an archive is unpacked.
 *
 * @throws ShipError `usage` without allowed signers, `integrity` without a signature
 */
export async function requireSigned(archive: string, trusted: Trusted): Promise<void> {
  const { signature, allowedSigners } = trusted;
  await access(allowedSigners, constants.R_OK).catch((cause: unknown) => {
    throw new ShipError('usage', `cannot read the allowed signers ${allowedSigners}`, {
      hint: 'write one signer per line: NAME ssh-ed25519 AAAA…; see ALLOWED SIGNERS in man ssh-keygen',
      cause,
    });
  });
  const found = await stat(signature).catch(() => undefined);
  if (found?.isFile() === true && found.size <= MAX_SIGNATURE) return;
  const what = found === undefined ? 'is not there' : 'is no signature';
  throw new ShipError('integrity', `${archive} is not signed: ${signature} ${what}`, {
    hint: 'nothing was sent; sign it where it is made: ciliumship save FILE --sign KEY',
  });
}

/**
 * Verifies a message against a signature. That it fits is one thing and who made it another, and so
 * are the errors.
 *
 * @returns who signed, as the allowed signers name them
 * @throws ShipError `integrity` when the signature is of something else, `identity` when its key may
 * not sign this
 */
export async function verifySignature(
  message: Uint8Array,
  archive: string,
  { signature, allowedSigners }: Trusted,
  signal: AbortSignal,
): Promise<string> {
  const ask = (words: readonly string[]): Promise<Finished> =>
    keygen(['-Y', ...words, '-s', signature], message, signal);
  const fits = await ask(['check-novalidate', '-n', NAMESPACE]);
  if (fits.code !== 0) throw misfit(archive, signature, fits);
  const known = await ask(['find-principals', '-f', allowedSigners]);
  const refusals = [known];
  for (const signer of lastLines(known.stdout, 100)) {
    const verified = await ask(['verify', '-n', NAMESPACE, '-f', allowedSigners, '-I', signer]);
    if (verified.code === 0) return signer;
    refusals.push(verified);
  }
  throw new ShipError('identity', `${archive} was signed by someone who may not`, {
    details: [
      ...lastLines(fits.stdout, 1),
      ...refusals.flatMap(({ stderr }) => lastLines(stderr, 2)),
    ],
    hint: `nothing was sent; when you know the key, add a line with it to ${allowedSigners}`,
  });
}

function misfit(archive: string, signature: string, { stderr }: Finished): ShipError {
  return new ShipError('integrity', `${signature} is not the signature of ${archive}`, {
    details: lastLines(stderr, 2),
    hint: 'nothing was sent; carry both files again from where they were made',
  });
}

function unanswered(): ShipError {
  return new ShipError('identity', `ssh-keygen did not end in ${SIGN_WITHIN / 1000} s`, {
    hint: 'touch the key, or type its passphrase, when it asks for it; then run the same command again',
  });
}

function keygen(
  words: readonly string[],
  input: Uint8Array | string,
  signal?: AbortSignal,
): Promise<Finished> {
  return runProcess(['ssh-keygen', ...words], {
    input,
    accept: ENDED_BADLY,
    timeout: SIGN_WITHIN,
    late: unanswered,
    ...(signal === undefined ? {} : { signal }),
  });
}
