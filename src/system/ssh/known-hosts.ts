import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ShipError } from '../../core/errors.ts';
import type { HostSettings, RunLocal } from './resolve.ts';

/** One line of known_hosts that speaks of the host. */
interface KnownKey {
  readonly marker: '@revoked' | '@cert-authority' | undefined;
  readonly type: string;
  readonly key: string;
}

/** What is known of a host's keys before connecting. */
export interface KnownHost {
  /** As known_hosts names it: `host` or `[host]:port`. */
  readonly name: string;
  readonly keys: readonly KnownKey[];
  /** Lines for the host without its port: ssh takes them where none has the port. */
  readonly portless: readonly KnownKey[];
  readonly firstFile: string | undefined;
}

/**
 * Everything that the known_hosts files say of a host. `ssh-keygen -F` does the looking up: it
 * knows hashed names, wildcards and negations (D2).
 *
 * @throws ShipError `identity` when a file is there and cannot be read: a revoked key may be in it
 */
export async function lookUpHost(settings: HostSettings, runLocal: RunLocal): Promise<KnownHost> {
  const { hostname, port, hostKeyAlias, knownHostsFiles } = settings;
  const host = hostKeyAlias ?? hostname;
  const plain = port === 22 || hostKeyAlias !== undefined;
  const name = plain ? host : `[${host}]:${port}`;
  const files = await readable(knownHostsFiles);
  const look = async (wanted: string): Promise<readonly KnownKey[]> =>
    (await Promise.all(files.map((file) => lookUp(wanted, file, runLocal)))).flat();
  return {
    name,
    keys: await look(name),
    portless: plain ? [] : await look(host),
    firstFile: knownHostsFiles[0],
  };
}

/** The files that exist. */
async function readable(files: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    files.map(async (file) => {
      try {
        await readFile(file);
        return [file];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw unreadable(file, error);
      }
    }),
  );
  return found.flat();
}

function unreadable(file: string, cause: unknown): ShipError {
  const { code } = cause as NodeJS.ErrnoException;
  return new ShipError('identity', `the known hosts in ${file} cannot be read: ${code}`, {
    hint: `make it readable: ls -l ${file}`,
    cause,
  });
}

async function lookUp(
  name: string,
  file: string,
  runLocal: RunLocal,
): Promise<readonly KnownKey[]> {
  const { stdout } = await runLocal(['ssh-keygen', '-F', name, '-f', file], { accept: [1] });
  return parseKnownKeys(stdout);
}

/** Reads the lines that `ssh-keygen -F` prints: `[@marker] names type key [comment]`. */
export function parseKnownKeys(text: string): readonly KnownKey[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const words = line.trim().split(/\s+/);
      const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
      const [, type, key] = words;
      if (type === undefined || key === undefined) return [];
      return [{ marker: marker as KnownKey['marker'], type, key }];
    });
}

/** Key types that known_hosts lists, so that the server is asked for one that can be checked (D3). */
export function knownTypes(known: KnownHost): readonly string[] {
  const named = known.keys.filter(({ marker }) => marker === undefined);
  const trusted = named.length > 0 ? named : known.portless.filter(({ marker }) => !marker);
  return [...new Set(trusted.map(({ type }) => type))];
}

/**
 * Adds a key to the first known_hosts file, as `accept-new` asks for.
 *
 * @param key `type base64`
 * @throws ShipError `identity`: a key that cannot be remembered would be accepted every time
 */
export async function rememberKey(known: KnownHost, key: string): Promise<void> {
  const file = known.firstFile;
  if (file === undefined) return;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const before = await readFile(file, 'utf8').catch(() => '');
    const start = before === '' || before.endsWith('\n') ? '' : '\n';
    await appendFile(file, `${start}${known.name} ${key}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new ShipError('identity', `the host key of ${known.name} cannot be added to ${file}`, {
      hint: `make it writable: ls -l ${file}`,
      cause,
    });
  }
}
