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
    checkState(said),
    ...(wanted.acceleration === 'native' ? [asked(said, NATIVE, isNative)] : []),
    ...(wanted.vxlanAcceleration ? [asked(said, ACTIVE, isActive)] : []),
    ...checkAgreement(wanted, said),
    ...checkDevices(wanted, said),
    checkKubernetes(said),
    ...checkHealth(wanted, said),
  ];
}

/** The sum of what the agent looks at itself: its own files, the API server, its controllers. */
function checkState(said: Said): Check {
  const { node, status } = said;
  const remedy = `see why: ${statusOf(said)}`;
  const about = { node, id: 'agent-state', check: 'state of the agent', wanted: 'Ok', remedy };
  if (status === undefined) return unknown({ ...about, found: silence(said) });
  return judged({ ...about, found: status.state, ok: status.state === 'Ok' });
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
  const says = status?.acceleration;
  const claim = MODES[says ?? ''];
  return devices.map((device) => {
    const kernel = links.find(({ name }) => name === device)?.xdp?.mode ?? 'none';
    const about = {
      node,
      id: 'xdp-agreement',
      check: `agent and kernel on ${device}`,
      wanted: 'the same mode',
      remedy: `see: ${statusOf(said)}; then restart the agent: ciliumship deploy`,
    };
    if (claim === undefined) {
      const found = says === undefined ? silence(said) : `agent ${says}, kernel ${kernel}`;
      return unknown({ ...about, found });
    }
    const found = kernel === claim ? `both say ${claim}` : `agent ${claim}, kernel ${kernel}`;
    return judged({ ...about, found, ok: kernel === claim });
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
  if (devices.length === 0) return [];
  const chosen = said.status?.devices;
  const about = {
    node: said.node,
    id: 'devices',
    check: 'devices of the agent',
    wanted: devices.join(', '),
    remedy: `see which the node has: ip link; set nodes.${said.node}.devices, then: ciliumship deploy`,
  };
  if (chosen === undefined) return [unknown({ ...about, found: silence(said) })];
  const lacking = devices.filter((device) => !chosen.includes(device));
  return [judged({ ...about, found: chosen.join(', ') || 'none', ok: lacking.length === 0 })];
}

function checkKubernetes(said: Said): Check {
  const { node, status } = said;
  const about = { node, id: 'api-server', check: 'API server from the agent', wanted: 'Ok' };
  const found = status?.kubernetes;
  if (found === undefined) {
    return unknown({ ...about, found: silence(said), remedy: `see: ${statusOf(said)}` });
  }
  const remedy = 'look at k8sServiceHost and k8sServicePort in the values file (E12)';
  return judged({ ...about, found, ok: found === 'Ok', remedy });
}

/** Only nodes with a ready agent can answer. */
function checkHealth(
  { peers }: Wanted,
  { node, namespace, agent, health }: Said,
): readonly Check[] {
  if (peers.length === 0) return [];
  const remedy = `see: kubectl -n ${namespace} exec ${podOf(agent)} -c ${AGENT_CONTAINER} -- cilium-health status --probe; UDP 8472 and TCP 4240 must be open between the nodes`;
  const about = { node, id: 'node-health', check: 'other nodes', wanted: 'reached', remedy };
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
    }),
  ];
}

function statusOf({ namespace, agent }: Said): string {
  return `kubectl -n ${namespace} exec ${podOf(agent)} -c ${AGENT_CONTAINER} -- cilium-dbg status --verbose`;
}

function podOf(agent: Pod | undefined): string {
  return agent?.name ?? 'ds/cilium';
}

/** Why nobody knows what only the agent could say. */
function silence({ agent, status }: Said): string {
  if (status !== undefined) return 'the agent does not say';
  return agent?.ready === true ? 'the agent does not answer' : 'no agent to ask';
}
