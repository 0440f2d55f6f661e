import type { Algorithms } from 'ssh2';
import { knownTypes, type KnownHost } from './known-hosts.ts';

/** AES-GCM first (hardware), and nothing that rests on SHA-1 or compresses (D3). */
const ALGORITHMS = {
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes256-ctr',
  ],
  hmac: [
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
  ],
  compress: ['none'],
} as const satisfies Algorithms;

const HOST_KEY_TYPES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

/** What to offer a host. */
export function algorithmsFor(known: KnownHost): Algorithms {
  return { ...ALGORITHMS, serverHostKey: [...offeredTypes(known)] };
}

/** Types that known_hosts lists come first; otherwise a host with another type looks changed. */
function offeredTypes(known: KnownHost): readonly (typeof HOST_KEY_TYPES)[number][] {
  const types = new Set(
    knownTypes(known).flatMap((type) =>
      type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type],
    ),
  );
  const first = HOST_KEY_TYPES.filter((type) => types.has(type));
  return [...first, ...HOST_KEY_TYPES.filter((type) => !types.has(type))];
}
