import { isIPv6 } from 'node:net';
import { stringify } from 'yaml';
import { kubernetesName, type Node } from '../core/node.ts';
import { dataAddress } from '../facts/node-facts.ts';
import { K3S_TOKEN, OUR_MARK } from '../facts/k3s.ts';

export type Setting = string | number | boolean | readonly string[];

/** Of a config.yaml, by key. */
export type Settings = Readonly<Record<string, Setting>>;

/** What the config says of K3s. */
export interface K3sSettings {
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  /** Whether K3s runs its kube-proxy. */
  readonly kubeProxy: boolean;
  /** More settings of server and agent nodes, as in K3s's config.yaml. */
  readonly server: Settings;
  readonly agent: Settings;
}

/** How a node comes into the cluster. */
export type Entry =
  /** It makes the cluster; with other servers beside it, in a way that they can join. */
  | { readonly as: 'first'; readonly others: boolean }
  /** It joins the cluster of a server, by the data address of that. */
  | { readonly as: 'joins'; readonly server: string };

const API_PORT = 6443;

/** Text of `/etc/rancher/k3s/config.yaml` of a node. It holds no secret: the token has its own file. */
export function k3sConfig(
  node: Node,
  entry: Entry,
  settings: K3sSettings,
  kept: Settings = entryPart(entry),
): string {
  const own = node.role === 'server' ? serverPart(node, settings) : settings.agent;
  return `${OUR_MARK}\n${stringify({ ...nodePart(node), ...kept, ...own })}`;
}

/**
 * How a node that is in the cluster came into it, by its own config.yaml: which server it joined is
 * of no more account, unless that is none of the config any more.
 *
 * @param servers data addresses
 */
export function keptEntry(before: Settings, entry: Entry, servers: readonly string[]): Settings {
  const now = entryPart(entry);
  if (before['server'] !== undefined) {
    const known = servers.some((address) => apiOf(address) === before['server']);
    return { server: before['server'], 'token-file': K3S_TOKEN, ...(known ? {} : now) };
  }
  const initial = { 'cluster-init': true };
  return 'cluster-init' in now || 'cluster-init' in before ? initial : {};
}

function nodePart(node: Node): Settings {
  const ip = dataAddress(node);
  return {
    'node-name': kubernetesName(node),
    ...(ip === undefined ? {} : { 'node-ip': ip }),
    ...(node.externalAddress === undefined ? {} : { 'node-external-ip': node.externalAddress }),
  };
}

function entryPart(entry: Entry): Settings {
  if (entry.as === 'first') return entry.others ? { 'cluster-init': true } : {};
  return { server: apiOf(entry.server), 'token-file': K3S_TOKEN };
}

function apiOf(address: string): string {
  return `https://${isIPv6(address) ? `[${address}]` : address}:${API_PORT}`;
}

function serverPart(node: Node, settings: K3sSettings): Settings {
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
