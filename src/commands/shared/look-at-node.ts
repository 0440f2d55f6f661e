import { parseHealth, type Reached } from '../../deploy/agent-health.ts';
import { parseAgentStatus, type AgentStatus } from '../../deploy/agent-status.ts';
import { AGENT_CONTAINER } from '../../deploy/agents.ts';
import type { Cluster, Pod, StuckPod } from '../../deploy/cluster.ts';
import type { Found } from '../../deploy/validate.ts';
import type { Argv } from '../../core/remote.ts';
import { parseTraffic } from '../../facts/bpf.ts';
import { parseLinks } from '../../facts/links.ts';
import { parseRouteMtus } from '../../facts/routes.ts';
import type { Session } from '../../system/ssh/session.ts';

const STATUS = ['cilium-dbg', 'status', '-o', 'json'];
/** `--probe` asks now; without it the answer may be a minute old. */
const HEALTH = ['cilium-health', 'status', '--probe', '-o', 'json'];

const LINKS: Argv = ['ip', '-j', '-d', 'link'];
const ROUTES: Argv = ['ip', '-j', 'route', 'show', 'table', 'all'];
const PROGRAMS: Argv = ['bpftool', '-j', 'net', 'list'];
const HELD: Argv = ['bpftool', '-j', 'link', 'show'];
/** Of a program that is missing, finds nothing or refuses; bpftool ends with 255. */
const SILENT = [1, 2, 126, 127, 255] as const;

/** An agent, and the cluster that can ask it. */
export interface AskedAgent {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly agent: Pod | undefined;
  readonly envoy: Pod | undefined;
  readonly stuck: readonly StuckPod[] | undefined;
}

/** What a node and its agent show of themselves. Throws as `Remote.run`. */
export async function lookAtNode(
  session: Session,
  asked: AskedAgent,
  signal: AbortSignal,
): Promise<Found> {
  // As root: for others the kernel leaves the names of programs out.
  const ask = async (argv: Argv, accept: readonly number[] = SILENT): Promise<string> =>
    (await session.run(argv, { sudo: true, signal, accept })).stdout;
  const [links, routes, programs, held, status, health] = await Promise.all([
    ask(LINKS, []),
    ask(ROUTES),
    ask(PROGRAMS),
    ask(HELD),
    askAgent<AgentStatus>(asked, STATUS, parseAgentStatus),
    askAgent<readonly Reached[]>(asked, HEALTH, parseHealth),
  ]);
  const { namespace, agent, envoy, stuck } = asked;
  return {
    node: session.node,
    ...{ namespace, agent, envoy, stuck, status, health },
    links: parseLinks(links),
    routes: parseRouteMtus(routes),
    traffic: parseTraffic(programs, held),
  };
}

/** An agent that cannot be asked is judged by its pod; what only it could say is unknown. */
async function askAgent<T>(
  { cluster, namespace, agent }: AskedAgent,
  command: readonly string[],
  parse: (text: string) => T | undefined,
): Promise<T | undefined> {
  if (agent?.ready !== true) return undefined;
  return parse(await cluster.exec(namespace, agent, AGENT_CONTAINER, command).catch(() => ''));
}
