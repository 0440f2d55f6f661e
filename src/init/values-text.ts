import { isMap, isScalar, parseDocument, type Document } from 'yaml';
import type { Proposal } from './propose.ts';
import { plain } from './choose-links.ts';

/** What of a chart and its surroundings the values depend on. */
export interface ValuesParts {
  readonly proposal: Proposal;
  readonly tag: string;
  /** Top keys of the chart's own values. */
  readonly chartKeys: readonly string[];
}

/** What the example says of itself. */
const HEAD = /^(#.*\n)+\n/;
/** VXLAN's header, and as much again for what a network adds on its way. */
const HEADROOM = 100;
const CGROUP2 = 'cgroup2fs';

/**
 * The values of the example, fitted to the machines: its comments stay, because they say why each
 * value is there.
 *
 * @param example text of values/cilium-values.yaml
 */
export function valuesText(example: string, { proposal, tag, chartKeys }: ValuesParts): string {
  const values = parseDocument(example.replace(HEAD, ''));
  const { nodes, podCidr } = proposal;
  values.setIn(['k8sServiceHost'], apiAddress(proposal));
  values.setIn(['MTU'], mtuOf(proposal));
  values.setIn(['ipam', 'operator', 'clusterPoolIPv4PodCIDRList'], [podCidr]);
  values.setIn(['image', 'override'], `quay.io/cilium/cilium:${tag}`);
  values.setIn(['operator', 'image', 'override'], `quay.io/cilium/operator-generic:${tag}`);
  values.setIn(['operator', 'nodeSelector', 'kubernetes.io/hostname'], serverName(proposal));
  if (nodes.some(({ data }) => data?.nativeXdp !== true)) values.setIn(ACCELERATION, 'best-effort');
  if (nodes.some(({ machine }) => machine.facts.cgroup !== CGROUP2)) remove(values, 'cgroup');
  // A stock chart does not know the key of the patch, and would ignore it silently.
  if (!chartKeys.includes('vxlanAcceleration')) remove(values, 'vxlanAcceleration');
  const names = nodes.map(({ name }) => name).join(', ');
  return [
    `# Made by ciliumship init for ${names}; yours to change.`,
    '# What Helm gets in the end: ciliumship values',
    '',
    values.toString({ lineWidth: 0 }),
  ].join('\n');
}

const ACCELERATION = ['loadBalancer', 'acceleration'] as const;

/** The address that every agent reaches the API server by, before there is a service network. */
function apiAddress({ nodes }: Proposal): string {
  const [server] = nodes;
  const { setup, facts } = server?.machine ?? {};
  const ssh = facts?.links.find(({ name }) => name === facts.sshInterface)?.addresses[0];
  return setup?.nodeIp ?? plain(server?.dataAddress ?? ssh ?? '');
}

/** Pods' packets and their header must fit into the narrowest data interface. */
function mtuOf({ nodes }: Proposal): number {
  const mtus = nodes.flatMap(({ data }) => (data === undefined ? [] : [data.link.mtu]));
  return (mtus.length === 0 ? 1500 : Math.min(...mtus)) - HEADROOM;
}

function serverName({ nodes }: Proposal): string {
  const [server] = nodes;
  return server?.nodeName ?? server?.name ?? '';
}

/** Takes a key away, with the comment above it. */
function remove(values: Document, key: string): void {
  const { contents } = values;
  if (!isMap(contents)) return;
  contents.items = contents.items.filter((pair) => !(isScalar(pair.key) && pair.key.value === key));
}
