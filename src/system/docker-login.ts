import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { RegistryLogin } from './docker-session.ts';

interface DockerConfig {
  readonly auths?: Readonly<
    Record<string, { readonly auth?: string; readonly identitytoken?: string } | undefined>
  >;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** Docker Hub is asked for under one name and kept under another. */
const HUB = 'registry-1.docker.io';
const HUB_KEY = 'index.docker.io';

/** Logins of `docker login`. */
export interface DockerLogins {
  /** Logins are kept by a helper program, which only the docker command line asks. */
  readonly helper: boolean;
  /** The login for this registry and no other; undefined asks the registry as nobody. */
  login(registry: string): Promise<RegistryLogin | undefined>;
}

/** Reads config.json of the docker command line; one that is missing or broken has no logins. */
export function readLogins(
  env: Readonly<Record<string, string | undefined>> = process.env,
): DockerLogins {
  const config = readConfig(
    join(env['DOCKER_CONFIG'] || join(homedir(), '.docker'), 'config.json'),
  );
  const auths = Object.entries(config.auths ?? {});
  return {
    helper: Boolean(config.credsStore) || Object.keys(config.credHelpers ?? {}).length > 0,
    login: async (registry) => {
      const host = registry === HUB ? HUB_KEY : registry;
      const entry = auths.find(([key]) => hostOf(key) === host)?.[1];
      return entry === undefined ? undefined : decode(entry);
    },
  };
}

function decode(entry: {
  readonly auth?: string;
  readonly identitytoken?: string;
}): RegistryLogin | undefined {
  if (entry.identitytoken) return { username: '', secret: entry.identitytoken };
  const text = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  return { username: text.slice(0, colon), secret: text.slice(colon + 1) };
}

/** `https://index.docker.io/v1/` → `index.docker.io`. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function readConfig(file: string): DockerConfig {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DockerConfig;
  } catch {
    return {};
  }
}
