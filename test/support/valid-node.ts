import type { AgentStatus } from '../../src/deploy/agent-status.ts';
import { checkNode, type Found } from '../../src/deploy/validate.ts';
import { wantedOn, type Installed } from '../../src/deploy/wanted.ts';
import { parseLinks } from '../../src/facts/links.ts';
import { agent, configNode, container } from './fake-cluster.ts';
import { nodeData } from './node-data.ts';
import { shipImage } from './values.ts';

/** A node on which everything is as it was wanted, and what is said of it when something is not. */

export const [AGENT, OPERATOR] = [
  shipImage('cilium', ['agent']),
  shipImage('operator-generic', ['operator']),
];

export const NODES = [configNode('worker', { devices: ['eth1'], nodeName: 'k-worker' })];
export const NATIVE = {
  'bpf-lb-acceleration': 'native',
  'enable-vxlan-acceleration': 'true',
  mtu: '1400',
};
const SHIPPED = { agent: AGENT?.config.digest, operator: OPERATOR?.config.digest };
export const INSTALLED: Installed = {
  config: NATIVE,
  shipped: SHIPPED,
  envoy: true,
  answering: ['k-worker', 'master'],
};
export const WANTED = wantedOn('k-worker', NODES, INSTALLED);
export const STATUS: AgentStatus = {
  state: 'Ok',
  acceleration: 'Native',
  vxlan: 'Active',
  devices: ['eth1'],
  kubernetes: 'Ok',
};
export const LINKS = parseLinks(nodeData('ip-link.txt'));
const RUNNING = agent('cilium-1', { containers: [container({ imageId: AGENT?.config.digest })] });
export const FOUND: Found = {
  node: 'worker',
  namespace: 'kube-system',
  agent: RUNNING,
  envoy: agent('envoy-1'),
  status: STATUS,
  health: [{ node: 'master', failure: '' }],
  links: LINKS,
  routes: [{ to: '10.42.1.0/24', device: 'cilium_host', mtu: 1350 }],
  traffic: [{ device: 'eth1', hook: 'tcx/ingress', program: 'cil_from_netdev', link: 7 }],
  stuck: [],
};

/** What is not well on it: `state of check: found`. */
export function complaints(more: Partial<Found>): readonly string[] {
  const bad = checkNode(WANTED, { ...FOUND, ...more }).filter(({ state }) => state !== 'ok');
  return bad.map(({ check, state, found }) => `${state} ${check}: ${found}`);
}
