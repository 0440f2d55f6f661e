import { docker } from './docker.ts';
import { containerOf, NETWORKS, NODES, PREFIX, volumeOf, type LabNode } from './settings.ts';
import { succeeds, until } from './shell.ts';
import { hostKey, userPublicKeyFile } from './ssh.ts';

/** Containers, networks and volumes of the nodes. */

export const SSHD = '22/tcp';
const API = '6443/tcp';
/** On the container of a node: whether K3s is left to whoever uses the lab. */
const BARE_LABEL = 'ciliumship.lab.bare';

/** Everything a node needs of the kernel; `--privileged` would ask for more than machines give. */
const RIGHTS = [
  '--cap-add=ALL',
  '--cap-drop=SYS_RESOURCE',
  '--security-opt=seccomp=unconfined',
  '--security-opt=apparmor=unconfined',
  '--cgroupns=private',
  '--stop-signal=SIGRTMIN+3',
];
const MOUNTS = ['--tmpfs=/run', '--tmpfs=/run/lock', '--tmpfs=/tmp:exec'];

/** Makes the data and the management network, unless they are there. */
export async function ensureNetworks(): Promise<void> {
  const names = await networksOfLab();
  const wanted = Object.values(NETWORKS);
  if (wanted.every(({ name }) => names.includes(name))) return;
  await removeNetworks();
  for (const { name, subnet } of wanted) await createNetwork(name, subnet);
}

/** Names of the lab's networks: by subnet too, because an older lab may have named them otherwise. */
export async function networksOfLab(): Promise<readonly string[]> {
  const format = '{{.Name}} {{range .IPAM.Config}}{{.Subnet}} {{end}}';
  const ids = (await docker('network', 'ls', '--quiet')).split('\n');
  const rows = await docker('network', 'inspect', `--format=${format}`, ...ids);
  const subnets = new Set(Object.values(NETWORKS).map(({ subnet }) => subnet));
  return rows.split('\n').flatMap((row) => {
    const [name = '', ...held] = row.split(' ');
    return name.startsWith(`${PREFIX}-`) && held.some((subnet) => subnets.has(subnet))
      ? [name]
      : [];
  });
}

async function createNetwork(name: string, subnet: string): Promise<void> {
  try {
    await docker('network', 'create', '--driver=bridge', `--subnet=${subnet}`, name);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const next = `when ${subnet} is in use, give the lab a name: CILIUMSHIP_LAB=two npm run lab -- up`;
    throw new Error(`${said}\n  next: ${next}`, { cause: error });
  }
}

/** True when the node has a container, running or not. */
export function exists(node: LabNode): Promise<boolean> {
  return succeeds('docker', ['container', 'inspect', containerOf(node)]);
}

/** True when the node's container runs. */
export async function isRunning(node: LabNode): Promise<boolean> {
  const format = '--format={{.State.Running}}';
  if (!(await exists(node))) return false;
  return (await docker('container', 'inspect', format, containerOf(node))) === 'true';
}

/** Makes and starts the node's container and waits until systemd and sshd are up. */
export async function startNode(node: LabNode, image: string, bare: boolean): Promise<string> {
  if (await isRunning(node)) return 'already running';
  if (!(await exists(node))) await createNode(node, image, bare);
  await docker('start', containerOf(node));
  await until(`systemd on ${node.name}`, 60, () => isBooted(node));
  return 'booted';
}

async function createNode(node: LabNode, image: string, bare: boolean): Promise<void> {
  const name = containerOf(node);
  await docker(
    ...['create', '--name', name, '--hostname', node.name, ...RIGHTS, ...MOUNTS],
    ...['--label', `${BARE_LABEL}=${bare}`],
    ...['-v', `${volumeOf(node)}:/var/lib/rancher`],
    ...['-v', `${hostKey(node)}:/etc/ssh/lab_host_key:ro`],
    ...['-v', `${userPublicKeyFile()}:/etc/ssh/lab_authorized_keys:ro`],
    ...['-e', `LAB_DATA_INTERFACE=${node.dataInterface}`],
    ...['-e', `LAB_DATA_ADDRESS=${node.dataAddress}`],
    ...['-e', `LAB_MANAGEMENT_ADDRESS=${node.managementAddress}`],
    ...['-p', '127.0.0.1::22', ...(node.role === 'server' ? ['-p', '127.0.0.1::6443'] : [])],
    ...['--network', NETWORKS.management.name, '--ip', node.managementAddress],
    ...[image, '/entry.sh'],
  );
  await docker('network', 'connect', '--ip', node.dataAddress, NETWORKS.data.name, name);
}

async function isBooted(node: LabNode): Promise<boolean> {
  const units = ['systemctl', 'is-active', '--quiet', 'ssh', 'multi-user.target'];
  return succeedsOn(node, ...units);
}

/** Runs a command on a node as root, past SSH: the lab's own way in. */
export function onNode(node: LabNode, ...argv: readonly string[]): Promise<string> {
  return docker('exec', containerOf(node), ...argv);
}

/** True when a command on a node ends with 0. */
export function succeedsOn(node: LabNode, ...argv: readonly string[]): Promise<boolean> {
  return succeeds('docker', ['exec', containerOf(node), ...argv]);
}

/** Writes a file on a node, mode 0600. */
export async function writeOnNode(node: LabNode, path: string, text: string): Promise<void> {
  const script = 'mkdir -p "$(dirname "$1")" && umask 077 && printf %s "$2" > "$1"';
  await onNode(node, 'sh', '-c', script, 'write', path, text);
}

/** Copies a file of this machine to a node, with its mode. */
export async function copyToNode(node: LabNode, from: string, to: string): Promise<void> {
  await docker('cp', '--quiet', from, `${containerOf(node)}:${to}`);
  await onNode(node, 'chown', 'root:root', to);
}

/** Port on 127.0.0.1 of every node's sshd. */
export async function sshPorts(): Promise<ReadonlyMap<string, number>> {
  const ports = await Promise.all(
    NODES.map(async (node) => [node.name, await publishedPort(node, SSHD)] as const),
  );
  return new Map(ports);
}

/** Port on 127.0.0.1 of the API server. */
export function apiPort(node: LabNode): Promise<number> {
  return publishedPort(node, API);
}

/** Port on 127.0.0.1 that leads to a port of the node. */
export async function publishedPort(node: LabNode, port: string): Promise<number> {
  const printed = await docker('port', containerOf(node), port);
  const found = /127\.0\.0\.1:(\d+)/.exec(printed)?.[1];
  if (found === undefined) throw new Error(`${node.name} publishes no port for ${port}`);
  return Number(found);
}

/** The image that a node was made from. */
export function imageOf(node: LabNode): Promise<string> {
  return docker('container', 'inspect', '--format={{.Config.Image}}', containerOf(node));
}

/** Value of a label of the node's container; undefined when there is none of either. */
export async function labelOf(node: LabNode, label: string): Promise<string | undefined> {
  const look = ['container', 'inspect', `--format={{index .Config.Labels "${label}"}}`];
  if (!(await succeeds('docker', [...look, containerOf(node)]))) return undefined;
  return (await docker(...look, containerOf(node))) || undefined;
}

/** True for a node that `up --bare` made; undefined when there is no node. */
export async function isBare(node: LabNode): Promise<boolean | undefined> {
  if (!(await exists(node))) return undefined;
  return (await labelOf(node, BARE_LABEL)) === 'true';
}

/** Removes the node's container and its data. */
export async function removeNode(node: LabNode): Promise<void> {
  if (await exists(node)) await docker('rm', '--force', '--volumes', containerOf(node));
  if (await succeeds('docker', ['volume', 'inspect', volumeOf(node)])) {
    await docker('volume', 'rm', volumeOf(node));
  }
}

/** Removes the lab's networks. */
export async function removeNetworks(): Promise<void> {
  for (const name of await networksOfLab()) await docker('network', 'rm', name);
}
