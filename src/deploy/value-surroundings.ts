import type { Node } from '../core/node.ts';
import { overlap } from '../core/network.ts';
import { hasNativeXdp } from '../facts/drivers.ts';
import type { NodeFacts } from '../facts/node-facts.ts';
import type { Reach } from '../facts/reach.ts';
import type { ValueProblem } from './check-values.ts';
import { textAt, textsAt, valueAt, type Values } from './tree.ts';
import { wrong } from './value-rules.ts';

/** What values have to fit: the nodes, what they are, and what is shipped to them. */
export interface Surroundings {
  readonly nodes: readonly Node[];
  readonly facts: ReadonlyMap<string, NodeFacts>;
  readonly serviceCidr: string;
  /** `appVersion` of the chart. */
  readonly chartVersion: string | undefined;
  /** VERSION of the tree that the shipped operator was built from. */
  readonly operatorVersion: string | undefined;
  /** Node → whether `k8sServiceHost` took a connection; none where nobody was asked. */
  readonly apiReached: ReadonlyMap<string, Reach>;
}

type Rule = (values: Values, around: Surroundings) => readonly ValueProblem[];

/**
 * Values that are well written and do not fit the machines or what is shipped to them (E3, E6, E12,
 * E13, E15, E18).
 *
 * @param values the user's over the chart's defaults
 */
export function checkSurroundings(values: Values, around: Surroundings): readonly ValueProblem[] {
  return RULES.flatMap((rule) => rule(values, around));
}

/** The chart's default pool 10.0.0.0/8 holds many a node network. */
const podNetwork: Rule = (values, { nodes, serviceCidr }) => {
  const path = 'ipam.operator.clusterPoolIPv4PodCIDRList';
  if ((valueAt(values, 'ipam.mode') ?? 'cluster-pool') !== 'cluster-pool') return [];
  const pools = textsAt(values, path);
  const near = nodes.flatMap(({ name, dataAddress }) =>
    dataAddress === undefined ? [] : [[`${name}’s network ${dataAddress}`, dataAddress] as const],
  );
  const taken = [...near, [`the service network ${serviceCidr}`, serviceCidr] as const];
  return pools.flatMap((pool) =>
    taken
      .filter(([, network]) => overlap(pool, network))
      .map(([what]) => wrong(path, `${pool} overlaps ${what}; pods would hide it (E18)`)),
  );
};

const mtu: Rule = (values, { nodes, facts }) => {
  const wanted = Number(valueAt(values, 'MTU') ?? 0);
  return nodes.flatMap(({ name, dataInterface }) => {
    const link = facts.get(name)?.links.find((found) => found.name === dataInterface);
    if (link === undefined || wanted <= link.mtu) return [];
    return [wrong('MTU', `${wanted} is more than ${link.mtu} of ${dataInterface} on ${name} (E3)`)];
  });
};

const devices: Rule = (values, { nodes, facts }) => {
  const everywhere = textsAt(values, 'devices');
  return nodes.flatMap((node) => {
    const found = facts.get(node.name);
    const names = node.devices.length > 0 ? node.devices : everywhere.filter(isPlain);
    const path = node.devices.length > 0 ? `nodes.${node.name}.devices` : 'devices';
    return found === undefined
      ? []
      : names.flatMap((name) =>
          device(path, name, found, valueAt(values, 'loadBalancer.acceleration')),
        );
  });
};

function device(
  path: string,
  name: string,
  { node, links, drivers, os }: NodeFacts,
  acceleration: unknown,
): readonly ValueProblem[] {
  const link = links.find((found) => found.name === name);
  if (link === undefined) return [wrong(path, `${node} has no interface ${name}`)];
  if (!link.carrier) return [wrong(path, `${name} of ${node} has no carrier (E6)`)];
  const driver = drivers.get(name);
  const needed = acceleration === 'native' || acceleration === 'best-effort';
  if (!needed || driver === undefined || hasNativeXdp(driver, os.kernel)) return [];
  const problem = wrong(path, `${name} of ${node} has driver ${driver}, without native XDP (E15)`);
  return [acceleration === 'native' ? problem : { ...problem, severity: 'warning' }];
}

/** A prefix `eth+` or an exclusion `!eth1` names no interface by itself. */
function isPlain(name: string): boolean {
  return /^[\w.:-]+$/.test(name);
}

/** The value that says how agents reach the API server. */
export const API_HOST = 'k8sServiceHost';

const API_ANSWERS: Readonly<Record<Exclude<Reach, 'open'>, string>> = {
  refused: 'refuses connections from',
  unreachable: 'can not be reached from',
  unknown: 'does not answer',
};

/** Agents reach the API server by it before there is a service network. */
const apiServer: Rule = (values, { apiReached }) => {
  const host = textAt(values, API_HOST);
  return [...apiReached].flatMap(([node, reach]): readonly ValueProblem[] => {
    if (reach === 'open') return [];
    const problem = wrong(API_HOST, `${host} ${API_ANSWERS[reach]} ${node} (E12)`);
    return [reach === 'unknown' ? { ...problem, severity: 'warning' } : problem];
  });
};

/** An operator does not read every flag that the chart of another version sets. */
const versions: Rule = (_, { chartVersion, operatorVersion }) => {
  const [chart, operator] = [minor(chartVersion), minor(operatorVersion)];
  if (chart === undefined || operator === undefined || chart === operator) return [];
  const message = `the shipped operator is ${operatorVersion}, the chart ${chartVersion} (E13)`;
  return [wrong('operator.image', message)];
};

function minor(version: string | undefined): string | undefined {
  return version === undefined ? undefined : /^v?(\d+\.\d+)/.exec(version)?.[1];
}

/** Only a warning: the agent goes on, without load balancing at sockets. */
const cgroupRoot: Rule = (values, { facts }) => {
  const mounts = valueAt(values, 'cgroup.autoMount.enabled') !== false;
  if (mounts || valueAt(values, 'cgroup.hostRoot') !== '/sys/fs/cgroup') return [];
  return [...facts.values()]
    .filter(({ cgroup }) => cgroup !== 'cgroup2fs')
    .map(({ node, cgroup }) => ({
      severity: 'warning',
      path: 'cgroup.hostRoot',
      message: `/sys/fs/cgroup of ${node} is ${cgroup}, not cgroup2: no load balancing at sockets`,
    }));
};

const kubeProxy: Rule = (values, { facts }) =>
  textAt(values, 'kubeProxyReplacement') !== 'true'
    ? []
    : [...facts.values()]
        .filter(({ kubeProxy: runs }) => runs)
        .map(({ node }) =>
          wrong(
            'kubeProxyReplacement',
            `kube-proxy runs on ${node}; start K3s with --disable-kube-proxy`,
          ),
        );

/** The document behind the patch says that XDP needs one queue; the drivers say otherwise. */
const queues: Rule = (values, { nodes, facts }) => {
  const wanted = Number(valueAt(values, 'vxlanAcceleration.queues') ?? 0);
  const wide = nodes.flatMap(({ name, dataInterface }) => {
    const link = facts.get(name)?.links.find((found) => found.name === dataInterface);
    return link !== undefined && wanted > 0 && wanted < link.queues
      ? [`${dataInterface} of ${name} has ${link.queues}`]
      : [];
  });
  if (wide.length === 0) return [];
  const message = `${wanted}, but ${wide.join(', ')}: fewer queues than processors cost throughput; i40e takes one XDP ring for each`;
  return [{ severity: 'note', path: 'vxlanAcceleration.queues', message }];
};

const RULES: readonly Rule[] = [
  podNetwork,
  mtu,
  devices,
  apiServer,
  versions,
  cgroupRoot,
  kubeProxy,
  queues,
];
