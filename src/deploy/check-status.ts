import { judged, unknown, type Check } from '../core/check.ts';
import type { Link } from '../facts/links.ts';
import type { Reached } from './agent-health.ts';
import type { AgentStatus } from './agent-status.ts';
import { AGENT_CONTAINER } from './agents.ts';
import type { Pod } from './cluster.ts';
import type { Wanted } from './wanted.ts';

/** What an agent says of itself and of the other nodes. */
export interface Said {
  readonly node: string;
  /** Of the agents. */
  readonly namespace: string;
  readonly agent: Pod | undefined;
  readonly status: AgentStatus | undefined;
  readonly health: readonly Reached[] | undefined;
  readonly links: readonly Link[];
}

/** Everything that only the agent can tell. */
export function checkStatus(wanted: Wanted, said: Said): readonly Check[] {
  const isNative = (text: string): boolean => text === 'Native';
  const isActive = (text: string): boolean => /^(active|enabled|ok)$/i.test(text);
  return [
    ...(wanted.acceleration === 'native' ? [asked(said, NATIVE, isNative)] : []),
    ...(wanted.vxlanAcceleration ? [asked(said, ACTIVE, isActive)] : []),
    ...checkAgreement(wanted, said),
    ...checkDevices(wanted, said),
    ...checkKubernetes(said),
    ...checkHealth(wanted, said),
  ];
}

interface Question {
  readonly id: string;
  readonly check: string;
  readonly wanted: string;
  readonly key: 'acceleration' | 'vxlan';
}

const NATIVE: Question = {
  id: 'acceleration',
  check: 'acceleration in the agent',
  wanted: 'Native',
  key: 'acceleration',
};
const ACTIVE: Question = {
  id: 'vxlan-acceleration',
  check: 'VXLAN acceleration in the agent',
  wanted: 'Active',
  key: 'vxlan',
};

/** When the agent does not speak of it, nobody knows. */
function asked(said: Said, { key, ...question }: Question, ok: (text: string) => boolean): Check {
  const { node, status } = said;
  const about = { node, ...question, remedy: `see: ${statusOf(said)}` };
  const found = status?.[key];
  if (status !== undefined && found === undefined) {
    return unknown({ ...about, found: 'the agent does not say' });
  }
  const answer = found ?? 'the agent does not answer';
  return judged({ ...about, found: answer, ok: found !== undefined && ok(found) });
}

/** The agent says what it was told to do, the kernel what is: only together they prove it. */
function checkAgreement({ devices }: Wanted, said: Said): readonly Check[] {
  const { node, status, links } = said;
  const claim = MODES[status?.acceleration ?? ''];
  if (claim === undefined) return [];
  return devices.map((device) => {
    const kernel = links.find(({ name }) => name === device)?.xdp?.mode ?? 'none';
    return judged({
      node,
      id: 'xdp-agreement',
      check: `agent and kernel on ${device}`,
      wanted: 'the same mode',
      found: kernel === claim ? `both say ${claim}` : `agent ${claim}, kernel ${kernel}`,
      ok: kernel === claim,
      remedy: `see: ${statusOf(said)}; then restart the agent: ciliumship deploy`,
    });
  });
}

const MODES: Readonly<Record<string, string>> = {
  Native: 'native',
  Generic: 'generic',
  Disabled: 'none',
  None: 'none',
};

/** A name that no interface has is passed over by the agent without a word (E10, E11). */
function checkDevices({ devices }: Wanted, said: Said): readonly Check[] {
  const chosen = said.status?.devices;
  if (devices.length === 0 || chosen === undefined) return [];
  const lacking = devices.filter((device) => !chosen.includes(device));
  return [
    judged({
      node: said.node,
      id: 'devices',
      check: 'devices of the agent',
      wanted: devices.join(', '),
      found: chosen.join(', ') || 'none',
      ok: lacking.length === 0,
      remedy: `see which the node has: ip link; set nodes.${said.node}.devices, then: ciliumship deploy`,
    }),
  ];
}

function checkKubernetes({ node, status }: Said): readonly Check[] {
  if (status?.kubernetes === undefined) return [];
  return [
    judged({
      node,
      id: 'api-server',
      check: 'API server from the agent',
      wanted: 'Ok',
      found: status.kubernetes,
      ok: status.kubernetes === 'Ok',
      remedy: 'look at k8sServiceHost and k8sServicePort in the values file (E12)',
    }),
  ];
}

/** Only nodes with a ready agent can answer. */
function checkHealth(
  { peers }: Wanted,
  { node, namespace, agent, health }: Said,
): readonly Check[] {
  if (peers.length === 0) return [];
  const about = { node, id: 'node-health', check: 'other nodes', wanted: 'reached' };
  if (health === undefined) {
    const found = agent?.ready === true ? 'cilium-health does not say' : 'no agent to ask';
    return [unknown({ ...about, found })];
  }
  const asking = peers.map((peer) => health.find((reached) => reached.node === peer));
  const failed = peers.flatMap((peer, index) => {
    const failure = asking[index]?.failure ?? 'the agent does not know it';
    return failure === '' ? [] : [`${peer}: ${failure}`];
  });
  return [
    judged({
      ...about,
      found: failed.length === 0 ? `${peers.join(', ')} reached` : failed.join(', '),
      ok: failed.length === 0,
      remedy: `see: kubectl -n ${namespace} exec ${agent?.name} -c ${AGENT_CONTAINER} -- cilium-health status --probe; UDP 8472 and TCP 4240 must be open between the nodes`,
    }),
  ];
}

function statusOf({ namespace, agent }: Said): string {
  const pod = agent?.name ?? 'ds/cilium';
  return `kubectl -n ${namespace} exec ${pod} -c ${AGENT_CONTAINER} -- cilium-dbg status --verbose`;
}
