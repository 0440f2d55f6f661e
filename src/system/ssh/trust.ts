import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShipError } from '../../core/errors.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { judgeKey, publicLine, refusal } from './host-keys.ts';
import { rememberKey, type KnownHost } from './known-hosts.ts';
import type { RunLocal } from './resolve.ts';

export interface TrustOptions {
  readonly node: string;
  readonly known: KnownHost;
  readonly hostKeys: 'strict' | 'accept-new';
  /** `RevokedHostKeys` of ssh_config. */
  readonly revoked: string | undefined;
  readonly runLocal: RunLocal;
}

/** Decides about the keys of one connection. */
export interface Trust {
  /** Set when a key was refused. */
  readonly refused: ShipError | undefined;
  /** @returns whether to go on; a server may show its key again when it asks for new session keys */
  accepts(key: Buffer): Promise<boolean>;
}

/** Nothing is sent to a server before its key was judged here (D1). */
export function hostTrust(options: TrustOptions): Trust {
  let refused: ShipError | undefined;
  let accepted: Buffer | undefined;
  return {
    get refused() {
      return refused;
    },
    accepts: async (key) => {
      if (accepted?.equals(key) === true) return true;
      try {
        await requireTrusted(options, key);
        accepted = key;
        return true;
      } catch (error) {
        refused = error as ShipError;
        return false;
      }
    },
  };
}

async function requireTrusted(options: TrustOptions, key: Buffer): Promise<void> {
  const { node, known, hostKeys } = options;
  if (await isRevoked(options, key)) throw refusal(node, known, key, 'revoked');
  const verdict = judgeKey(known, key);
  if (verdict === 'known') return;
  if (verdict !== 'unknown' || hostKeys === 'strict') throw refusal(node, known, key, verdict);
  await rememberKey(known, publicLine(key));
}

/** A key revocation list, or a text file with one public key in each line. */
async function isRevoked({ node, revoked, runLocal }: TrustOptions, key: Buffer): Promise<boolean> {
  if (revoked === undefined) return false;
  const file = await readFile(revoked).catch((cause: unknown) => {
    throw new ShipError('identity', `${node}: RevokedHostKeys ${revoked} cannot be read`, {
      hint: `make it readable: ls -l ${revoked}`,
      cause,
    });
  });
  if (!file.subarray(0, 6).equals(Buffer.from('SSHKRL'))) {
    return file.toString('latin1').split(/\s+/).includes(key.toString('base64'));
  }
  return inRevocationList(revoked, key, runLocal);
}

async function inRevocationList(list: string, key: Buffer, runLocal: RunLocal): Promise<boolean> {
  using folder = temporaryFolder();
  const file = join(folder.path, 'key.pub');
  await writeFile(file, `${publicLine(key)}\n`);
  const { code } = await runLocal(['ssh-keygen', '-Q', '-f', list, file], { accept: [1, 255] });
  return code !== 0;
}
