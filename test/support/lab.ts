import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { docker } from '../../lab/docker.ts';
import { CONFIG } from '../../lab/files.ts';
import { isRunning, onNode, removeNode, sshPorts } from '../../lab/nodes.ts';
import { containerOf, NODES, nodeNamed, STATE } from '../../lab/settings.ts';
import { SSH_CONFIG, writeSshFiles } from '../../lab/ssh.ts';
import { until } from './parts.ts';

export { NODES, onNode, nodeNamed };

/** Throws when the lab is not up. */
export async function requireLab(): Promise<void> {
  const up = await Promise.all(NODES.map(isRunning));
  if (!up.every(Boolean)) throw new Error('the lab is not up: npm run lab -- up');
}

/** Environment in which the command line works on the lab. */
export function labEnvironment(config: string = CONFIG): NodeJS.ProcessEnv {
  return {
    CILIUMSHIP_CONFIG: config,
    CILIUMSHIP_SSH_CONFIG: SSH_CONFIG,
    KUBECONFIG,
    PATH: `${join(STATE, 'bin')}:${process.env['PATH']}`,
  };
}

/** The same with Helm 4 as `helm`. */
export function helm4Environment(): NodeJS.ProcessEnv {
  const bin = mkdtempSync(join(tmpdir(), 'ciliumship-helm4-'));
  symlinkSync(join(STATE, 'bin', 'helm4'), join(bin, 'helm'));
  const env = labEnvironment();
  return { ...env, PATH: `${bin}:${env['PATH']}` };
}

/** The config of the lab with a change, in a folder of its own. */
export function changedConfig(change: (text: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-e2e-'));
  const file = join(folder, 'ciliumship.yaml');
  const values = join(STATE, 'cilium-values.yaml');
  const text = readFileSync(CONFIG, 'utf8').replace('cilium-values.yaml', values);
  writeFileSync(file, change(text));
  return file;
}

/** kubectl against the lab. */
export async function kubectl(...args: readonly string[]): Promise<string> {
  const { stdout } = await execa(join(STATE, 'bin', 'kubectl'), [
    '--kubeconfig',
    KUBECONFIG,
    ...args,
  ]);
  return stdout;
}

/** Two empty nodes and a new cluster: what a first ship meets. */
export async function emptyLab(): Promise<void> {
  await Promise.all(NODES.map(removeNode));
  await execa('node', [join(import.meta.dirname, '../../lab/cli.ts'), 'up']);
}

/** True when nothing was shipped to any node yet. */
export async function isEmpty(): Promise<boolean> {
  const lists = await Promise.all(
    NODES.map((node) => onNode(node, 'k3s', 'ctr', 'images', 'ls', '-q')),
  );
  return lists.every((list) => !list.includes('quay.io/cilium'));
}

/** Switches a node off, as by its power button. */
export async function stopNode(name: string): Promise<void> {
  await docker('stop', '--time', '5', containerOf(nodeNamed(name)));
}

/** Switches it on again and waits until Kubernetes finds it ready. */
export async function startNode(name: string): Promise<void> {
  await docker('start', containerOf(nodeNamed(name)));
  writeSshFiles(await sshPorts());
  await until(`${name} is ready`, 90, async () => {
    const conditions = '{.status.conditions[?(@.type=="Ready")].status}';
    const state = await kubectl('get', 'node', name, '-o', `jsonpath=${conditions}`).catch(
      () => '',
    );
    return state === 'True';
  });
}

/** Gives objects to the cluster. */
export async function apply(...objects: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const args = ['--kubeconfig', KUBECONFIG, 'apply', '-f', '-'];
  await execa(join(STATE, 'bin', 'kubectl'), args, { input });
}
