import { judged, type Check } from '../core/check.ts';
import { shortDigest, type Digest } from '../core/digest.ts';
import type { Link } from '../facts/links.ts';
import type { AgentStatus } from './agent-status.ts';
import { AGENT_CONTAINER, OPERATOR_CONTAINER, describePod, runningImage } from './agents.ts';
import type { Pod } from './cluster.ts';

/** What the cluster's configuration asks of an agent. */
export interface Wanted {
  readonly agentImage: Digest | undefined;
  readonly operatorImage: Digest | undefined;
  /** XDP must be attached. */
  readonly accelerated: boolean;
  /** Interfaces that must carry it. */
  readonly devices: readonly string[];
  /** Undefined when Cilium chooses it. */
  readonly mtu: number | undefined;
  /** `bpf-lb-acceleration`. */
  readonly acceleration: string;
  readonly vxlanAcceleration: boolean;
}

/** What was found on one node. */
export interface Found {
  readonly node: string;
  readonly agent: Pod | undefined;
  readonly status: AgentStatus | undefined;
  readonly links: readonly Link[];
}

/** The procedure's step 4 for one node (reference procedure, Modified Cilium Installation). */
export function checkNode(wanted: Wanted, found: Found): readonly Check[] {
  const { node, agent, links } = found;
  const checks = [
    checkImage(node, 'agent image', wanted.agentImage, runningImage(agent, AGENT_CONTAINER)),
    checkReady(node, 'agent ready', agent, 'ciliumship deploy'),
    ...(wanted.accelerated && wanted.devices.length === 0 ? [unnamedDevice(node)] : []),
    ...wanted.devices.map((device) => checkXdp(node, device, links)),
    ...(wanted.mtu === undefined ? [] : [checkMtu(node, wanted.mtu, links)]),
    ...checkAcceleration(wanted, found),
  ];
  return checks;
}

/** Cilium chose the interface itself, so nobody says which one to look at. */
function unnamedDevice(node: string): Check {
  return {
    node,
    check: 'XDP',
    state: 'unknown',
    wanted: 'native',
    found: 'no interface is named',
    remedy: `name it: nodes.${node}.dataInterface or devices in ciliumship.yaml`,
  };
}

/** The operators, wherever they run. */
export function checkOperator(wanted: Wanted, pods: readonly Pod[]): readonly Check[] {
  const running = pods.filter(({ deleting }) => !deleting);
  const looked = running.length === 0 ? [undefined] : running;
  return looked.flatMap((pod) => {
    const node = pod?.node ?? 'cluster';
    const image = runningImage(pod, OPERATOR_CONTAINER);
    return [
      checkImage(node, 'operator image', wanted.operatorImage, image),
      checkReady(node, 'operator ready', pod, 'ciliumship deploy'),
    ];
  });
}

function checkImage(
  node: string,
  check: string,
  wanted: Digest | undefined,
  found: Digest | undefined,
): Check {
  return judged({
    node,
    check,
    wanted: wanted === undefined ? 'the chart’s own' : shortDigest(wanted),
    found: found === undefined ? 'nothing' : shortDigest(found),
    ok: wanted === undefined || wanted === found,
    remedy: 'bring it to what was built: ciliumship ship',
  });
}

function checkReady(node: string, check: string, pod: Pod | undefined, remedy: string): Check {
  const found = describePod(pod);
  return judged({ node, check, wanted: 'ready', found, ok: pod?.ready === true, remedy });
}

/** `mode` in the link's own data: the agent's status only says what was configured (upstream §5). */
function checkXdp(node: string, device: string, links: readonly Link[]): Check {
  const link = links.find(({ name }) => name === device);
  const { mode, program } = link?.xdp ?? {};
  const none = link === undefined ? 'no such interface' : 'no XDP program';
  return judged({
    node,
    check: `XDP on ${device}`,
    wanted: 'native',
    found: mode === undefined ? none : `${mode} (${program})`,
    ok: mode === 'native',
    remedy: `set devices of ${node} in ciliumship.yaml to an interface whose driver has native XDP, then: ciliumship deploy`,
  });
}

function checkMtu(node: string, mtu: number, links: readonly Link[]): Check {
  const link = links.find(({ name }) => name === 'cilium_vxlan');
  return judged({
    node,
    check: 'MTU of cilium_vxlan',
    wanted: String(mtu),
    found: link === undefined ? 'no such interface' : String(link.mtu),
    ok: link?.mtu === mtu,
    remedy: 'the key is MTU, in capitals; set it in the values file, then: ciliumship deploy',
  });
}

function checkAcceleration(wanted: Wanted, found: Found): readonly Check[] {
  const checks: Check[] = [];
  if (wanted.acceleration === 'native') {
    const isNative = (said: string): boolean => said === 'Native';
    checks.push(asked(found, 'acceleration in the agent', 'Native', 'acceleration', isNative));
  }
  if (wanted.vxlanAcceleration) {
    const isActive = (said: string): boolean => /^(active|enabled|ok)$/i.test(said);
    checks.push(asked(found, 'VXLAN acceleration in the agent', 'Active', 'vxlan', isActive));
  }
  return checks;
}

/** Something that only the agent can say; when it does not speak of it, nobody knows. */
function asked(
  { node, agent, status }: Found,
  check: string,
  wanted: string,
  key: 'acceleration' | 'vxlan',
  ok: (said: string) => boolean,
): Check {
  const pod = agent?.name ?? 'ds/cilium';
  const remedy = `see: kubectl -n kube-system exec ${pod} -c ${AGENT_CONTAINER} -- cilium-dbg status --verbose`;
  const said = status?.[key];
  if (status !== undefined && said === undefined) {
    return { node, check, state: 'unknown', wanted, found: 'the agent does not say', remedy };
  }
  const found = said ?? 'the agent does not answer';
  return judged({ node, check, wanted, found, ok: said !== undefined && ok(said), remedy });
}
