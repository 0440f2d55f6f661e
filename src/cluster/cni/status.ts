import { judged, type Check } from '../../core/check.ts';
import type { CniConfig } from '../../facts/cni-config.ts';
import type { Trace } from '../../facts/leftovers.ts';
import { CNI_NAMES, type CniName } from './known.ts';

/** What one node shows of CNIs. */
export interface CniOnNode {
  readonly node: string;
  /** Undefined when pods get no network there. */
  readonly config: CniConfig | undefined;
  readonly traces: readonly Trace[];
  /** Agents that the cluster has on it, by CNI; undefined when the cluster was not reached. */
  readonly agents: readonly AgentOnNode[] | undefined;
}

export interface AgentOnNode {
  readonly cni: CniName;
  readonly pod: string;
  readonly ready: boolean;
}

/** Which CNI a configuration belongs to, by its file, its name and its plugins. */
export function cniOf({ file, name, plugins }: CniConfig): CniName | 'unknown' {
  const words = [file, name, ...plugins].join(' ');
  return CNI_NAMES.find((cni) => words.includes(cni)) ?? 'unknown';
}

/** The CNI of the nodes: `none`, or `mixed` when they differ. */
export function cniOfFleet(nodes: readonly CniOnNode[]): CniName | 'none' | 'mixed' | 'unknown' {
  const found = new Set(nodes.map(({ config }) => (config === undefined ? 'none' : cniOf(config))));
  const [only = 'none', other] = found;
  return other === undefined ? only : 'mixed';
}

/** Whether each node has the agent of its CNI, ready, and nothing of another. */
export function judgeCni(nodes: readonly CniOnNode[]): readonly Check[] {
  const wanted = cniOfFleet(nodes);
  return nodes.flatMap((node) => [oneCni(node, wanted), agentReady(node)]);
}

function oneCni({ node, config, traces }: CniOnNode, wanted: string): Check {
  const own = config === undefined ? 'none' : cniOf(config);
  const others = traces.filter(({ cni }) => cni !== own);
  const names = [...new Set(others.map(({ cni }) => cni))];
  return judged({
    node,
    check: 'one CNI',
    wanted: wanted === 'mixed' ? 'the same on every node' : wanted,
    found: [own, ...names.map((name) => `leftovers of ${name}`)].join(', '),
    ok: others.length === 0 && wanted !== 'mixed',
    remedy: `${others.map(({ what }) => what).join(', ') || 'the nodes differ'}: ciliumship cni uninstall, or ciliumship reset`,
  });
}

function agentReady({ node, config, agents }: CniOnNode): Check {
  const base = { node, check: 'agent' };
  if (config === undefined) {
    const found = (agents ?? []).map(({ cni }) => cni).join(', ') || 'none';
    return judged({
      ...base,
      wanted: 'none',
      found,
      ok: found === 'none',
      remedy: `wait for it, or look at its log; ${node} has no CNI configuration yet`,
    });
  }
  const cni = cniOf(config);
  const wanted = `of ${cni}, ready`;
  if (agents === undefined) return { ...base, wanted, state: 'unknown', found: 'no API server' };
  const own = agents.find((agent) => agent.cni === cni);
  return judged({
    ...base,
    wanted,
    found: own === undefined ? 'none' : `${own.pod} ${own.ready ? 'ready' : 'not ready'}`,
    ok: own?.ready === true,
    remedy:
      own === undefined
        ? `${config.file} of ${node} is all that is left: ciliumship doctor E14`
        : `see why: kubectl describe pod -A --field-selector metadata.name=${own.pod}`,
  });
}
