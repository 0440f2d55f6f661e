import { contains, overlap } from '../core/network.ts';
import type { Node } from '../core/node.ts';
import { isUrl, type Config } from './normalise.ts';
import type { Problem } from './problems.ts';

type Rule = (config: Config) => readonly Problem[];

/** What the schema cannot say: rules between values. Each returns every place where it is broken. */
export function checkRules(config: Config): readonly Problem[] {
  return RULES.flatMap((rule) => rule(config));
}

const oneAddressPerNode: Rule = ({ nodes }) => [
  ...duplicates(nodes, 'ssh', (node) => node.ssh),
  ...duplicates(nodes, 'nodeName', (node) => node.nodeName ?? node.name),
  ...duplicates(nodes, 'dataAddress', (node) => node.dataAddress?.split('/')[0]),
  ...duplicates(nodes, 'externalAddress', (node) => node.externalAddress),
];

const hasServer: Rule = ({ nodes }) =>
  nodes.some((node) => node.role === 'server')
    ? []
    : [{ path: ['nodes'], message: 'no node has the role server' }];

const devicesNeedProfile: Rule = ({ nodes }) => {
  const lists = new Set(nodes.map((node) => node.devices.join(' ')));
  if (lists.size <= 1) return [];
  return nodes
    .filter((node) => node.devices.length > 0 && node.profile === undefined)
    .map((node) => ({
      path: ['nodes', node.name],
      message: 'nodes have different devices, so each needs a profile to be selected by',
    }));
};

const oneDeviceListPerProfile: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const other = nodes.find(
      (candidate) =>
        candidate.profile === node.profile && candidate.devices.join() !== node.devices.join(),
    );
    if (node.profile === undefined || other === undefined) return [];
    const message = `profile ${node.profile} has other devices on ${other.name}`;
    return [{ path: ['nodes', node.name, 'profile'], message }];
  });

const canaryIsANode: Rule = ({ nodes, deploy }) =>
  deploy.canary === undefined || nodes.some((node) => node.name === deploy.canary)
    ? []
    : [{ path: ['deploy', 'canary'], message: `no node is named ${deploy.canary}` }];

/** Cilium loses other nodes when pods are given addresses of their network (E18). */
const clusterNetworksAreApart: Rule = ({ nodes, k3s }) =>
  nodes.flatMap((node) =>
    (['clusterCidr', 'serviceCidr'] as const)
      .filter((key) => node.dataAddress !== undefined && overlap(node.dataAddress, k3s[key]))
      .map((key) => ({
        path: ['nodes', node.name, 'dataAddress'],
        message: `${node.dataAddress} overlaps k3s.${key} ${k3s[key]}; pods would hide the node network`,
      })),
  );

const podsAndServicesAreApart: Rule = ({ k3s }) =>
  overlap(k3s.clusterCidr, k3s.serviceCidr)
    ? [{ path: ['k3s', 'serviceCidr'], message: `overlaps k3s.clusterCidr ${k3s.clusterCidr}` }]
    : [];

/** What ciliumship sets itself, by other keys of the config or by what it finds. */
const OUR_SETTINGS: Readonly<Record<string, string>> = {
  token: 'the server makes one, and it is never written into a config',
  'token-file': 'ciliumship brings the token',
  server: 'it is the first node with role server',
  'cluster-init': 'it follows from the number of servers',
  'node-name': 'set nodeName of the node',
  'node-ip': 'set dataAddress of the node',
  'node-external-ip': 'set externalAddress of the node',
  'cluster-cidr': 'set k3s.clusterCidr',
  'service-cidr': 'set k3s.serviceCidr',
  'flannel-backend': 'ciliumship cni install brings the CNI',
  'disable-network-policy': 'the CNI enforces policies',
  'disable-kube-proxy': 'set k3s.kubeProxy',
};

const settingsOfK3sAreNotOurs: Rule = ({ k3s }) =>
  (['server', 'agent'] as const).flatMap((role) =>
    Object.keys(k3s[role])
      .filter((key) => key in OUR_SETTINGS)
      .map((key) => ({
        path: ['k3s', role, key],
        message: `is not set here: ${OUR_SETTINGS[key]}`,
      })),
  );

/** Two nodes on different subnets have no way to each other unless `routes` names it (E18). */
const dataAddressesAreOnLink: Rule = ({ nodes, routes }) =>
  nodes.flatMap((node) =>
    firstFew(nodes, (other) => other.name !== node.name && !reaches(node, other, routes)).map(
      (other) => ({
        path: ['nodes', node.name, 'dataAddress'],
        message: `${other.name} (${other.dataAddress}) is not on-link from ${node.dataAddress}; widen the prefix or name the way in routes`,
      }),
    ),
  );

/** What comes from elsewhere is what somebody has looked at once. */
const urlsArePinned: Rule = ({ cni }) =>
  Object.entries(cni).flatMap(([name, from]) =>
    from !== undefined && isUrl(from.from) && from.sha256 === undefined
      ? [{ path: ['cni', name], message: `${from.from} needs the sha256 of what it gives` }]
      : [],
  );

/** Of hundreds of nodes each may be wrong towards every other; a few of them say it. */
function firstFew(nodes: readonly Node[], isWrong: (node: Node) => boolean): readonly Node[] {
  const found: Node[] = [];
  for (const node of nodes) {
    if (found.length >= 3) break;
    if (isWrong(node)) found.push(node);
  }
  return found;
}

const RULES: readonly Rule[] = [
  oneAddressPerNode,
  hasServer,
  devicesNeedProfile,
  oneDeviceListPerProfile,
  canaryIsANode,
  clusterNetworksAreApart,
  podsAndServicesAreApart,
  settingsOfK3sAreNotOurs,
  dataAddressesAreOnLink,
  urlsArePinned,
];

function duplicates(
  nodes: readonly Node[],
  key: string,
  valueOf: (node: Node) => string | undefined,
): readonly Problem[] {
  return nodes.flatMap((node, index) => {
    const value = valueOf(node);
    const first = nodes
      .slice(0, index)
      .find((other) => value !== undefined && valueOf(other) === value);
    if (first === undefined) return [];
    return [{ path: ['nodes', node.name, key], message: `${value} is already ${first.name}'s` }];
  });
}

function reaches(node: Node, other: Node, routes: Config['routes']): boolean {
  if (node.dataAddress === undefined || other.dataAddress === undefined) return true;
  if (contains(node.dataAddress, other.dataAddress)) return true;
  return routes.some(
    (route) => route.node === node.name && contains(route.to, other.dataAddress ?? ''),
  );
}
