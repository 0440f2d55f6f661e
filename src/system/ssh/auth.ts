import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod } from 'ssh2';
import type { HostSettings } from './resolve.ts';

/** The ways to log in, asked for one after the other. */
export interface Auth {
  /** For messages: what was tried, never a secret. */
  readonly tried: readonly string[];
  /** True as soon as the host key was accepted and the first way was asked for. */
  readonly begun: boolean;
  next(): AnyAuthMethod | undefined;
  /** The agent gave no answer; the other ways are tried all the same. */
  agentFailed(error: Error): void;
}

/**
 * The agent first, then key files that exist and are not encrypted. With IdentitiesOnly the agent
 * comes last, for key files that it alone can decrypt.
 */
export async function authMethods(settings: HostSettings): Promise<Auth> {
  const files = await keyFiles(settings);
  const agents = agentMethods(settings);
  const ways = settings.identitiesOnly ? [...files, ...agents] : [...agents, ...files];
  const tried = ways.map(({ name }) => name);
  const methods = ways.flatMap(({ method }) => (method === undefined ? [] : [method]));
  let begun = false;
  return {
    tried,
    get begun() {
      return begun;
    },
    next: () => {
      begun = true;
      return methods.shift();
    },
    agentFailed: (error) => {
      const at = tried.indexOf('agent');
      if (at >= 0) tried[at] = `agent (${error.message.toLowerCase()})`;
    },
  };
}

interface Way {
  readonly name: string;
  readonly method?: AnyAuthMethod;
}

function agentMethods({ agent, user: username }: HostSettings): readonly Way[] {
  if (agent === undefined || agent === '') return [];
  return [{ name: 'agent', method: { type: 'agent', username, agent } }];
}

async function keyFiles({ identityFiles, user: username }: HostSettings): Promise<readonly Way[]> {
  const ways = identityFiles.map(async (file): Promise<readonly Way[]> => {
    const key = await readFile(file).catch(() => undefined);
    if (key === undefined) return [];
    const parsed = ssh2.utils.parseKey(key);
    if (parsed instanceof Error) return [{ name: `${file} (${parsed.message.toLowerCase()})` }];
    return [{ name: file, method: { type: 'publickey', username, key } }];
  });
  return (await Promise.all(ways)).flat();
}
