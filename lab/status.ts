import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KUBECONFIG } from './cluster.ts';
import { dockerRuns } from './docker.ts';
import { exists, isBare, isRunning, onNode, publishedPort, SSHD } from './nodes.ts';
import { NODES, STATE, unitOf, type LabNode } from './settings.ts';
import { sh } from './shell.ts';
import { portInConfig, SSH_CONFIG } from './ssh.ts';

/** What is there of the lab now, and what is wrong with it. */

export interface NodeState {
  readonly name: string;
  readonly container: 'none' | 'stopped' | 'running';
  /** Where its sshd is published; undefined when it does not run. */
  readonly port?: number | undefined;
  /** Where the ssh config says that it is. */
  readonly wrote?: number | undefined;
  readonly unit: string;
  /** Whether K3s on it is up to whoever uses the lab. */
  readonly bare?: boolean | undefined;
  /** What systemd says of K3s: `active`, `activating`, `inactive`, `failed`, … */
  readonly k3s?: string | undefined;
}

export interface LabState {
  readonly docker: boolean;
  readonly nodes: readonly NodeState[];
  /** What `kubectl get nodes` prints, or its error. */
  readonly kubernetes: { readonly ok: boolean; readonly text: string };
}

/** Looks at every part; changes nothing. */
export async function lookAtLab(): Promise<LabState> {
  const docker = await dockerRuns();
  const nodes = docker ? await Promise.all(NODES.map(lookAtNode)) : [];
  const serverRuns = nodes[0]?.container === 'running';
  const kubernetes = serverRuns ? await lookAtKubernetes() : { ok: false, text: '' };
  return { docker, nodes, kubernetes };
}

/** True when there is nothing at all of the lab. */
export function isDown({ nodes }: LabState): boolean {
  return nodes.every(({ container }) => container === 'none');
}

/** One line for each thing that is wrong, with its node first; empty when the lab is up. */
export function problemsOf({ docker, nodes, kubernetes }: LabState): readonly string[] {
  if (!docker) return ['Docker is not running'];
  const problems = nodes.flatMap(problemsOfNode);
  if (problems.length > 0 || nodes.every(({ bare }) => bare === true)) return problems;
  if (!kubernetes.ok) return [`the API server does not answer: ${kubernetes.text}`];
  const registered = new Set(kubernetes.text.split('\n').map((line) => line.split(' ')[0]));
  const absent = nodes.filter(({ name }) => !registered.has(name));
  return absent.map(({ name }) => `${name} is no node of the cluster`);
}

function problemsOfNode(node: NodeState): readonly string[] {
  if (node.container === 'none') return [`${node.name} has no container`];
  if (node.container === 'stopped') return [`${node.name} is switched off`];
  const problems: string[] = [];
  if (node.port !== node.wrote) {
    const wrote = node.wrote === undefined ? 'names no port' : `says ${node.wrote}`;
    problems.push(`${node.name} has its sshd at port ${node.port}, but the ssh config ${wrote}`);
  }
  if (node.bare !== true && node.k3s !== 'active') {
    problems.push(`${node.name} has ${node.unit} ${node.k3s || 'in an unknown state'}`);
  }
  return problems;
}

async function lookAtNode(node: LabNode): Promise<NodeState> {
  const unit = unitOf(node);
  const about = { name: node.name, unit };
  if (!(await exists(node))) return { ...about, container: 'none' };
  if (!(await isRunning(node))) return { ...about, container: 'stopped' };
  const config = existsSync(SSH_CONFIG) ? readFileSync(SSH_CONFIG, 'utf8') : '';
  // `is-active` ends with 3 for a unit that is not, and prints what it is all the same.
  const active = ['sh', '-c', 'systemctl is-active "$1" || true', 'look', unit];
  return {
    ...about,
    container: 'running',
    port: await publishedPort(node, SSHD),
    wrote: portInConfig(config, node.name),
    bare: await isBare(node),
    k3s: await onNode(node, ...active),
  };
}

async function lookAtKubernetes(): Promise<LabState['kubernetes']> {
  const get = ['get', 'nodes', '--output=wide', '--request-timeout=5s'];
  try {
    const kubectl = join(STATE, 'bin', 'kubectl');
    return { ok: true, text: await sh(kubectl, ['--kubeconfig', KUBECONFIG, ...get]) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { ok: false, text: text.split('\n').at(-1) ?? text };
  }
}

/** What `lab status` prints. */
export function statusText(state: LabState): string {
  if (!state.docker) return 'the lab is down: no Docker answers\n  next: npm run lab -- up';
  if (isDown(state)) return 'the lab is down\n  next: npm run lab -- up';
  const rows = NODES.map((node) => {
    const port = state.nodes.find(({ name }) => name === node.name)?.port;
    const at = port === undefined ? '-' : `127.0.0.1:${port}`;
    return `${node.name}  ${node.role}  ${node.dataInterface} ${node.dataAddress}  ssh ${at}`;
  });
  const problems = problemsOf(state);
  if (problems.length === 0) return [...rows, '', clusterText(state)].join('\n');
  return [...rows, '', ...problems, '  next: npm run lab -- up'].join('\n');
}

function clusterText({ kubernetes, nodes }: LabState): string {
  if (kubernetes.ok || nodes.some(({ bare }) => bare !== true)) return kubernetes.text;
  return 'bare nodes: no cluster that the lab knows of\n  next: ciliumship k3s install; ciliumship k3s kubeconfig';
}
