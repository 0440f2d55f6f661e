import { kubernetesName, type Node } from '../core/node.ts';
import { hasNativeXdp } from '../facts/drivers.ts';
import { dataAddress, type NodeFacts } from '../facts/node-facts.ts';
import type { Values } from './tree.ts';

/** Bytes: a packet of a pod in VXLAN's envelope must fit into what the data interfaces take. */
const POD_MTU = 1400;
const ENVELOPE = 50;

/**
 * Values for a published chart, from what the config and the machines say: those of the hand
 * procedure with their mistakes mended (values/README.md). The images are named without digest,
 * because an image that was imported has none of a registry's.
 *
 * @param facts of every node
 */
export function stockValues(
  nodes: readonly Node[],
  podNetwork: string,
  facts: readonly NodeFacts[],
): Values {
  // With two programs doing one job nobody knows which one did it.
  const replacesProxy = !facts.some(({ kubeProxy }) => kubeProxy);
  const server = nodes.find(({ role }) => role === 'server');
  const host = server === undefined ? undefined : dataAddress(server);
  return {
    ...(host === undefined ? {} : { k8sServiceHost: host, k8sServicePort: 6443 }),
    kubeProxyReplacement: replacesProxy,
    routingMode: 'tunnel',
    tunnelProtocol: 'vxlan',
    ...(hasRoom(nodes, facts) ? { MTU: POD_MTU } : {}),
    ...devicesOf(nodes),
    ipam: { mode: 'cluster-pool', operator: { clusterPoolIPv4PodCIDRList: [podNetwork] } },
    enableIPv4Masquerade: true,
    bpf: { masquerade: replacesProxy },
    loadBalancer: { acceleration: accelerationOf(nodes, facts, replacesProxy) },
    ...cgroupOf(facts),
    updateStrategy: { rollingUpdate: { maxUnavailable: 1 } },
    image: { useDigest: false },
    operator: {
      replicas: 1,
      image: { useDigest: false },
      ...(server === undefined
        ? {}
        : { nodeSelector: { 'kubernetes.io/hostname': kubernetesName(server) } }),
    },
    envoy: { image: { useDigest: false } },
  };
}

function hasRoom(nodes: readonly Node[], facts: readonly NodeFacts[]): boolean {
  return linksOf(nodes, facts).every(({ mtu }) => mtu >= POD_MTU + ENVELOPE);
}

function linksOf(nodes: readonly Node[], facts: readonly NodeFacts[]) {
  return nodes.flatMap(({ name, dataInterface }) => {
    const links = facts.find(({ node }) => node === name)?.links ?? [];
    return links.filter((link) => link.name === dataInterface);
  });
}

/** Nodes with profiles get theirs by CiliumNodeConfigs. */
function devicesOf(nodes: readonly Node[]): Values {
  const lists = new Set(nodes.map(({ devices }) => devices.join(' ')));
  const [devices = ''] = lists;
  const everywhere = lists.size === 1 && devices !== '';
  return everywhere && nodes.every(({ profile }) => profile === undefined) ? { devices } : {};
}

/** `native` ends the agent of a node whose driver has no XDP. */
function accelerationOf(
  nodes: readonly Node[],
  facts: readonly NodeFacts[],
  replacesProxy: boolean,
): string {
  if (!replacesProxy) return 'disabled';
  const everywhere = nodes.every(({ name, devices }) => {
    const own = facts.find(({ node }) => node === name);
    return devices.every((device) => {
      const driver = own?.drivers.get(device);
      return driver !== undefined && own !== undefined && hasNativeXdp(driver, own.os.kernel);
    });
  });
  return everywhere && nodes.some(({ devices }) => devices.length > 0) ? 'native' : 'best-effort';
}

/** Where there is one hierarchy, the agent uses it as it is. */
function cgroupOf(facts: readonly NodeFacts[]): Values {
  if (!facts.every(({ cgroup }) => cgroup === 'cgroup2fs')) return {};
  return { cgroup: { autoMount: { enabled: false }, hostRoot: '/sys/fs/cgroup' } };
}
