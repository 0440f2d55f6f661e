import { z } from 'zod';
import type { Platform } from '../core/image.ts';
import type { Role } from '../core/node.ts';
import type { Argv, Remote } from '../core/remote.ts';
import { readYaml } from '../core/yaml.ts';
import { parsePlatform } from './machine.ts';

/** How a machine was set up to be a node, as far as it says; before K3s is there it says little. */
export interface NodeSetup {
  /** What Kubernetes calls it, or will. */
  readonly nodeName: string;
  /** Undefined before K3s is installed. */
  readonly role: Role | undefined;
  readonly platform: Platform | undefined;
  /** Address that K3s was told to use. */
  readonly nodeIp: string | undefined;
  readonly clusterCidr: string | undefined;
  readonly serviceCidr: string | undefined;
}

export const SETUP_PROBES = {
  hostname: ['cat', '/proc/sys/kernel/hostname'],
  architecture: ['uname', '-m'],
  folders: ['ls', '-1', '/var/lib/rancher/k3s'],
  // Only these lines: the file holds the token of the cluster too.
  settings: [
    'grep',
    '-hsE',
    '^(node-name|node-ip|cluster-cidr|service-cidr):',
    '/etc/rancher/k3s/config.yaml',
  ],
} as const satisfies Record<string, Argv>;

/** Of a program that finds nothing, or nothing to look at. */
const NOTHING = [1, 2] as const;

/** Four lines; what a node says may be anything. */
const MAX_SETTINGS = 10_000;

const settings = z.object({
  'node-name': z.string().optional(),
  'node-ip': z.string().optional(),
  'cluster-cidr': z.string().optional(),
  'service-cidr': z.string().optional(),
});

/**
 * Asks a machine how it was set up as a node. Changes nothing.
 *
 * @throws ShipError as `Remote.run`
 */
export async function readNodeSetup(remote: Remote, signal: AbortSignal): Promise<NodeSetup> {
  const ask = async (argv: Argv): Promise<string> =>
    (await remote.run(argv, { sudo: true, signal, accept: NOTHING })).stdout;
  const { hostname, architecture, folders, settings: lines } = SETUP_PROBES;
  const [name, machine, found, configured] = await Promise.all([
    ask(hostname),
    ask(architecture),
    ask(folders),
    ask(lines),
  ]);
  const set = parseSettings(configured);
  return {
    nodeName: set['node-name'] ?? name.trim().toLowerCase(),
    role: roleOf(found.split('\n')),
    platform: parsePlatform(machine),
    // One of each family for dual stack.
    nodeIp: set['node-ip']?.split(',')[0],
    clusterCidr: set['cluster-cidr']?.split(',')[0],
    serviceCidr: set['service-cidr']?.split(',')[0],
  };
}

/** A server keeps its certificates and its database in a folder that an agent never has. */
function roleOf(folders: readonly string[]): Role | undefined {
  if (folders.includes('server')) return 'server';
  return folders.includes('agent') ? 'agent' : undefined;
}

/** Lines that are not as we know them say nothing. */
function parseSettings(lines: string): z.output<typeof settings> {
  const read = readYaml(lines, MAX_SETTINGS);
  const { data = {} } = settings.safeParse('problems' in read ? {} : read.value);
  return data;
}
