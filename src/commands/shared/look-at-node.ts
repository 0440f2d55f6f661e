import { parseAgentStatus, type AgentStatus } from '../../deploy/agent-status.ts';
import { AGENT_CONTAINER } from '../../deploy/agents.ts';
import type { Cluster, Pod } from '../../deploy/cluster.ts';
import type { Found } from '../../deploy/validate.ts';
import { parseLinks, type Link } from '../../facts/links.ts';
import type { Session } from '../../system/ssh/session.ts';

const STATUS = ['cilium-dbg', 'status', '-o', 'json'];

/** An agent, and the cluster that can ask it. */
export interface AskedAgent {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly agent: Pod | undefined;
}

/** What a node and its agent show of themselves. Throws as `Remote.run`. */
export async function lookAtNode(
  session: Session,
  asked: AskedAgent,
  signal: AbortSignal,
): Promise<Found> {
  const [links, status] = await Promise.all([readLinks(session, signal), readStatus(asked)]);
  return { node: session.node, agent: asked.agent, status, links };
}

/** As root: for others the kernel leaves the name of the XDP program out. */
async function readLinks(session: Session, signal: AbortSignal): Promise<readonly Link[]> {
  return parseLinks((await session.run(['ip', '-j', '-d', 'link'], { sudo: true, signal })).stdout);
}

/** An agent that cannot be asked is judged by its pod; the checks of its status are unknown. */
async function readStatus({
  cluster,
  namespace,
  agent,
}: AskedAgent): Promise<AgentStatus | undefined> {
  if (agent?.ready !== true) return undefined;
  const printed = cluster.exec(namespace, agent, AGENT_CONTAINER, STATUS);
  return parseAgentStatus(await printed.catch(() => ''));
}
