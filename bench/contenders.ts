import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORKS, NODES } from '../lab/settings.ts';
import { workFolder } from './folders.ts';
import { AGENT, OPERATOR, TAG } from './images.ts';
import type { Command } from './measure.ts';
import { REGISTRY, type Registry } from './registry.ts';
import type { Tool } from './row.ts';

/** One of the ways to bring images to nodes that are compared. */
export interface Contender {
  /** Forgets on this machine whatever it kept of earlier runs. */
  forget(): Promise<void>;
  /** Forgets what it learned of the link. */
  forgetLink(): Promise<void>;
  readonly command: Omit<Command, 'docker'>;
}

const TOOLS = join(import.meta.dirname, 'tools');
/** The built program. */
export const CLI = join(import.meta.dirname, '../dist/cli.js');

/**
 * All of them.
 *
 * @param sshConfig reaches the nodes by their names
 */
export function contenders(
  sshConfig: string,
  registry: Registry,
): Readonly<Record<Tool, Contender>> {
  const names = { AGENT: `${AGENT}:${TAG}`, OPERATOR: `${OPERATOR}:${TAG}` };
  const nodes = NODES.map(({ name }) => name).join(' ');
  const env = { ...names, NODES: nodes, SSH_CONFIG: sshConfig, BENCH_FOLDER: workFolder('run') };
  const nothing = async (): Promise<void> => undefined;
  const script = (name: string): Contender => ({
    forget: nothing,
    forgetLink: nothing,
    command: { argv: [join(TOOLS, name)], env: { ...env, REGISTRY } },
  });
  return {
    ciliumship: ciliumship(sshConfig),
    procedure: script('procedure.sh'),
    pipe: script('pipe.sh'),
    registry: { ...script('registry.sh'), forget: () => registry.restartEmpty() },
  };
}

function ciliumship(sshConfig: string): Contender {
  const home = workFolder('ciliumship');
  const [cache, state] = [join(home, 'cache'), join(home, 'state')];
  const env = {
    CILIUMSHIP_SSH_CONFIG: sshConfig,
    XDG_CACHE_HOME: cache,
    XDG_STATE_HOME: state,
  };
  return {
    forget: async () => rmSync(cache, { recursive: true, force: true }),
    forgetLink: async () => rmSync(state, { recursive: true, force: true }),
    command: {
      argv: [process.execPath, CLI, 'push', '--no-build', '--config', writeConfig(home)],
      env,
    },
  };
}

function writeConfig(folder: string): string {
  const file = join(folder, 'ciliumship.yaml');
  const nodes = NODES.map(
    ({ name, role, dataInterface, dataAddress }) =>
      `  ${name}: { ssh: ${name}, role: ${role}, profile: ${name}, dataInterface: ${dataInterface}, ` +
      `dataAddress: ${dataAddress}/${NETWORKS.data.prefix} }`,
  );
  const text = `version: 1
source: .
tag: ${TAG}
nodes:
${nodes.join('\n')}
images:
  agent: { name: ${AGENT}, dockerfile: Dockerfile }
  operator: { name: ${OPERATOR}, dockerfile: Dockerfile }
`;
  writeFileSync(file, text);
  return file;
}
