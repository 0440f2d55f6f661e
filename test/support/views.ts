import type { NodeView, ClusterView, PodView, View } from '../../src/doctor/view.ts';
import { problemOf } from '../../src/doctor/find.ts';
import type { Finding } from '../../src/doctor/problem.ts';
import { configNode } from './fake-cluster.ts';
import { machineFacts } from './machine-facts.ts';
import { digestOf } from './values.ts';

/** What doctor sees of a healthy lab, with some of it changed. */

export const AGENT_IMAGE = 'quay.io/cilium/cilium:dev';
export const OPERATOR_IMAGE = 'quay.io/cilium/operator-generic:dev';
export const NOW = new Date('2026-06-01T00:00:00Z');

export function nodeView(change: Partial<NodeView> = {}): NodeView {
  return {
    node: configNode('worker', { dataInterface: 'eth1', devices: ['eth1'] }),
    machine: machineFacts(),
    agentRuns: true,
    pins: [],
    traffic: [],
    cniFiles: ['05-cilium.conflist'],
    diskUse: 40,
    certificates: [{ subject: 'CN=kubelet', expires: new Date('2027-05-01T00:00:00Z') }],
    images: [
      { id: digestOf('agent'), names: [AGENT_IMAGE], pinned: true, size: 1 },
      { id: digestOf('operator'), names: [OPERATOR_IMAGE], pinned: true, size: 1 },
    ],
    otherImages: [],
    ...change,
  };
}

export function podView(name: string, change: Partial<PodView> = {}): PodView {
  const container = { name: 'cilium-agent', image: AGENT_IMAGE, imageId: digestOf('agent') };
  return {
    name,
    node: 'worker',
    ready: true,
    labels: { 'k8s-app': 'cilium' },
    containers: [container],
    initContainers: [],
    ...change,
  };
}

export function operatorView(change: Partial<PodView> = {}): PodView {
  const container = {
    name: 'cilium-operator',
    image: OPERATOR_IMAGE,
    imageId: digestOf('operator'),
  };
  const labels = { 'io.cilium/app': 'operator' };
  return podView('cilium-operator-1', { labels, containers: [container], ...change });
}

export function clusterView(change: Partial<ClusterView> = {}): ClusterView {
  return {
    release: 'cilium',
    namespace: 'kube-system',
    pods: [podView('cilium-1'), operatorView()],
    namespaces: [{ name: 'kube-system', terminating: false, stuck: '' }],
    apiServices: [{ name: 'v1.apps', available: true, reason: 'Local' }],
    config: {
      'bpf-lb-acceleration': 'native',
      'cluster-pool-ipv4-cidr': '10.42.0.0/16',
      mtu: '1400',
    },
    revisions: [{ revision: 1, status: 'deployed' }],
    operatorLog: [],
    ...change,
  };
}

export function view(change: Partial<View> = {}): View {
  return {
    nodes: [nodeView()],
    unseen: new Map(),
    cluster: clusterView(),
    value: values({ MTU: '1400', 'loadBalancer.acceleration': 'native' }),
    images: [AGENT_IMAGE, OPERATOR_IMAGE],
    versions: { chart: '1.19.0-dev', tree: '1.19.0-dev' },
    now: NOW,
    ...change,
  };
}

/** What a node changed, in a view that is healthy otherwise. */
export function viewOf(change: Partial<NodeView>): View {
  return view({ nodes: [nodeView(change)] });
}

export function values(set: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => set[path] ?? '';
}

/** The first finding of a problem. */
export function lookFor(id: string, seen: View): Omit<Finding, 'id'> {
  const [first] = problemOf(id).look(seen);
  if (first === undefined) throw new Error(`${id} looked nowhere`);
  return first;
}
