import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onNode, sshPorts } from '../lab/nodes.ts';
import { NODES, type LabNode } from '../lab/settings.ts';
import { until } from '../lab/shell.ts';
import { SSH_CONFIG } from '../lab/ssh.ts';
import { workFolder } from './folders.ts';

/** The nodes as the benchmark finds and leaves them: without any image of its own. */

const NAMES = 'bench\\.local/';

/**
 * Writes an ssh config that reaches the nodes at their own addresses: Docker's proxy of published
 * ports would take megabytes ahead of the shaped link, and processor time.
 */
export async function writeSshConfig(): Promise<string> {
  const ports = await sshPorts();
  const hosts = NODES.map(({ name, managementAddress }) =>
    [
      `Host ${name}`,
      `  HostName ${managementAddress}`,
      '  Port 22',
      `  HostKeyAlias [127.0.0.1]:${ports.get(name)}`,
    ].join('\n'),
  );
  const file = join(workFolder('config'), 'ssh_config');
  writeFileSync(file, `${hosts.join('\n')}\nHost *\nInclude ${SSH_CONFIG}\n`);
  return file;
}

/**
 * Takes every image of the benchmark away from every node, with its layers.
 *
 * @param ids config digests; the CRI keeps a name of its own for each
 */
export async function emptyNodes(ids: readonly string[]): Promise<void> {
  const pattern = [NAMES, ...ids.map((id) => `^${id}`)].join('|');
  const script = `names=$(k3s ctr -n k8s.io images ls -q | grep -E '${pattern}') || exit 0
k3s ctr -n k8s.io images rm --sync $names > /dev/null; sync`;
  await Promise.all(NODES.map((node) => onNode(node, 'sh', '-c', script)));
}

/**
 * Asks every node itself whether it has the images whole, whatever the tool said.
 *
 * @param ids config digests
 * @throws Error naming a node that lacks one
 */
export async function requireShipped(ids: readonly string[]): Promise<void> {
  await Promise.all(
    NODES.map((node) => until(`${node.name} having the images`, 30, () => hasImages(node, ids))),
  );
}

async function hasImages(node: LabNode, ids: readonly string[]): Promise<boolean> {
  const cri = JSON.parse(await onNode(node, 'k3s', 'crictl', 'images', '-o', 'json')) as {
    readonly images: readonly { readonly id: string }[];
  };
  const seen = new Set(cri.images.map(({ id }) => id));
  if (!ids.every((id) => seen.has(id))) return false;
  const check = await onNode(node, 'k3s', 'ctr', '-n', 'k8s.io', 'images', 'check');
  const rows = check.split('\n').filter((row) => row.includes('bench.local/'));
  return rows.every((row) => row.includes(' complete ') && / true\s*$/.test(row));
}
