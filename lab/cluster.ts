import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  apiPort,
  copyToNode,
  imageOf,
  isBare,
  isRunning,
  onNode,
  removeNode,
  sshPorts,
  startNode,
  succeedsOn,
  writeOnNode,
} from './nodes.ts';
import { INSTALLER, K3S } from './node-image.ts';
import { NODES, STATE, unitOf, type LabNode } from './settings.ts';
import { sh, succeeds, until } from './shell.ts';
import { writeSshFiles } from './ssh.ts';

/** K3s on the nodes, as `ciliumship k3s install` would leave it: without a CNI. */

export const KUBECONFIG = join(STATE, 'kubeconfig');

const CONFIG = '/etc/rancher/k3s/config.yaml';
const COMMON = 'flannel-backend: none\ncluster-cidr: 10.42.0.0/16\nservice-cidr: 10.43.0.0/16\n';

/** Starts K3s on the server node and waits until its API answers. */
export async function startServer(node: LabNode): Promise<string> {
  await ensureConfig(node, `disable-network-policy: true\n${COMMON}`);
  await startK3s(node);
  await writeKubeconfig(node);
  return 'API server ready';
}

/** Starts K3s on an agent node with the server's token and waits until it registered. */
export async function startAgent(node: LabNode): Promise<string> {
  await ensureConfig(node, await joiningServer());
  await startK3s(node);
  await until(`${node.name} to register`, 60, () => isRegistered(node));
  return 'registered';
}

async function joiningServer(): Promise<string> {
  const [server] = NODES;
  if (server === undefined) throw new Error('the lab has no server node');
  const token = await onNode(server, 'cat', '/var/lib/rancher/k3s/server/node-token');
  return `server: https://${server.dataAddress}:6443\ntoken: ${token}\n`;
}

/** A config that is there stays: ciliumship or a hand may have changed it. */
async function ensureConfig(node: LabNode, text: string): Promise<void> {
  if (await succeedsOn(node, 'test', '-s', CONFIG)) return;
  await writeOnNode(node, CONFIG, `node-ip: ${node.dataAddress}\n${text}`);
}

async function startK3s(node: LabNode): Promise<void> {
  if (!(await succeedsOn(node, 'systemctl', 'cat', unitOf(node)))) await installK3s(node);
  await onNode(node, 'systemctl', 'enable', '--now', '--quiet', unitOf(node));
}

/** Nodes boot bare; this is what an installer does on real ones. */
async function installK3s(node: LabNode): Promise<void> {
  await copyToNode(node, K3S, '/usr/local/bin/k3s');
  await copyToNode(node, INSTALLER, '/root/install.sh');
  const settings = ['INSTALL_K3S_SKIP_DOWNLOAD=true', 'INSTALL_K3S_SKIP_START=true'];
  await onNode(node, 'env', ...settings, '/root/install.sh', node.role);
  await onNode(node, 'rm', '/root/install.sh');
}

function isRegistered(node: LabNode): Promise<boolean> {
  const get = ['--kubeconfig', KUBECONFIG, 'get', 'node', node.name];
  return succeeds(join(STATE, 'bin', 'kubectl'), get);
}

async function writeKubeconfig(node: LabNode): Promise<void> {
  const text = await onNode(node, 'cat', '/etc/rancher/k3s/k3s.yaml');
  const port = await apiPort(node);
  writeFileSync(KUBECONFIG, text.replace('127.0.0.1:6443', `127.0.0.1:${port}`), { mode: 0o600 });
  chmodSync(KUBECONFIG, 0o600);
}

/** Gives a node a new disk and joins it again; the server starts a new cluster. */
export async function resetNode(node: LabNode): Promise<void> {
  await requireAllRunning();
  const [image, bare] = [await imageOf(node), (await isBare(node)) === true];
  await removeNode(node);
  if (node.role === 'agent' && !bare) await forgetNode(node);
  await startNode(node, image, bare);
  writeSshFiles(await sshPorts());
  if (bare) return;
  if (node.role === 'agent') return void (await startAgent(node));
  await startServer(node);
  for (const agent of NODES.filter((other) => other.role === 'agent')) {
    await leaveCluster(agent);
    await startAgent(agent);
  }
}

/** Joining needs the others; a node that is not there has no image to be made from again. */
async function requireAllRunning(): Promise<void> {
  for (const node of NODES) {
    if (!(await isRunning(node))) {
      throw new Error(`${node.name} does not run\n  next: npm run lab -- up`);
    }
  }
}

/** Without this the API server would refuse the new kubelet under the old name. */
async function forgetNode(node: LabNode): Promise<void> {
  const remove = ['delete', 'node', node.name, '--ignore-not-found'];
  await sh(join(STATE, 'bin', 'kubectl'), ['--kubeconfig', KUBECONFIG, ...remove]);
}

/** Pods and certificates of the old cluster go; images stay. */
async function leaveCluster(node: LabNode): Promise<void> {
  await onNode(node, 'k3s-killall.sh');
  const agent = '/var/lib/rancher/k3s/agent';
  const kept = [
    `${agent}/kubelet.kubeconfig`,
    `${agent}/bootstrap.kubeconfig`,
    `${agent}/client-ca.crt`,
  ];
  await onNode(node, 'rm', '-rf', CONFIG, '/var/lib/kubelet', ...kept);
}
