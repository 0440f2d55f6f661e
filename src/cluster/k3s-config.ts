import { isIPv6 } from 'node:net';
import { stringify } from 'yaml';
import { kubernetesName, type Node } from '../core/node.ts';
import { dataAddress } from '../facts/node-facts.ts';
import { K3S_TOKEN, OUR_MARK } from '../facts/k3s.ts';

type Setting = string | number | boolean | readonly string[];

/** What the config says of K3s. */
export interface K3sSettings {
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  /** Whether K3s runs its kube-proxy. */
  readonly kubeProxy: boolean;
  /** More settings of server and agent nodes, as in K3s's config.yaml. */
  readonly server: Readonly<Record<string, Setting>>;
  readonly agent: Readonly<Record<string, Setting>>;
}

/** How a node comes into the cluster. */
export type Entry =
  /** It makes the cluster; with other servers beside it, in a way that they can join. */
  | { readonly as: 'first'; readonly others: boolean }
  /** It joins the cluster of a server, by the data address of that. */
  | { readonly as: 'joins'; readonly server: string };

const API_PORT = 6443;

/** Text of `/etc/rancher/k3s/config.yaml` of a node. It holds no secret: the token has its own file. */
export function k3sConfig(node: Node, entry: Entry, settings: K3sSettings): string {
  const own = node.role === 'server' ? serverPart(node, settings) : settings.agent;
  return `${OUR_MARK}\n${stringify({ ...nodePart(node), ...entryPart(entry), ...own })}`;
}

function nodePart(node: Node): Readonly<Record<string, Setting>> {
  const ip = dataAddress(node);
  return {
    'node-name': kubernetesName(node),
    ...(ip === undefined ? {} : { 'node-ip': ip }),
    ...(node.externalAddress === undefined ? {} : { 'node-external-ip': node.externalAddress }),
  };
}

function entryPart(entry: Entry): Readonly<Record<string, Setting>> {
  if (entry.as === 'first') return entry.others ? { 'cluster-init': true } : {};
  const host = isIPv6(entry.server) ? `[${entry.server}]` : entry.server;
  return { server: `https://${host}:${API_PORT}`, 'token-file': K3S_TOKEN };
}

function serverPart(node: Node, settings: K3sSettings): Readonly<Record<string, Setting>> {
  const { 'tls-san': more = [], ...rest } = settings.server;
  const names = [dataAddress(node), node.externalAddress, ...listOf(more)];
  return {
    'cluster-cidr': settings.clusterCidr,
    'service-cidr': settings.serviceCidr,
    'flannel-backend': 'none',
    'disable-network-policy': true,
    ...(settings.kubeProxy ? {} : { 'disable-kube-proxy': true }),
    'tls-san': [...new Set(names.filter((name) => name !== undefined))],
    'write-kubeconfig-mode': '0600',
    ...rest,
  };
}

function listOf(value: Setting): readonly string[] {
  return Array.isArray(value) ? (value as readonly string[]) : [String(value)];
}
