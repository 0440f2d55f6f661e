import { ShipError } from '../core/errors.ts';
import type { Run } from '../core/step.ts';
import { waitFor } from '../core/wait.ts';
import { agentAmong, AGENT_SELECTOR, describePod, isHopeless, works } from './agents.ts';
import type { Cluster, Pod } from './cluster.ts';

/** Whose agent is to be taken away, and who must be able to do without it. */
export interface Taking {
  readonly node: string;
  readonly namespace: string;
  /** Kubernetes names of all nodes that get an agent. */
  readonly all: readonly string[];
  /** Milliseconds that the others get to become ready. */
  readonly timeout: number;
  /** What to type once they are. */
  readonly hint: string;
}

/**
 * Waits until the agent of every other node is ready: two nodes that are down at once may be one too
 * many.
 *
 * @throws ShipError `deploy` naming the node whose agent is not, and what to look at
 */
export async function requireOthersReady(
  taking: Taking,
  cluster: Pick<Cluster, 'pods'>,
  run: Run,
): Promise<void> {
  const others = taking.all.filter((name) => name !== taking.node);
  let down = { node: '', pod: undefined as Pod | undefined };
  const look = async (): Promise<true | undefined> => {
    const pods = await cluster.pods(taking.namespace, AGENT_SELECTOR);
    const node = others.find((name) => !works(agentAmong(pods, name)));
    if (node === undefined) return true;
    down = { node, pod: agentAmong(pods, node) };
    run.progress({ text: `wait for the agent on ${node}: ${describePod(down.pod)}` });
    if (down.pod !== undefined && isHopeless(down.pod)) throw stays(taking, down);
    return undefined;
  };
  await waitFor(look, taking.timeout, run.signal, () => stays(taking, down));
}

function stays(
  { node, namespace, hint }: Taking,
  down: { readonly node: string; readonly pod: Pod | undefined },
): ShipError {
  const what =
    down.pod === undefined
      ? `get pods -l ${AGENT_SELECTOR} -o wide`
      : `describe pod ${down.pod.name}`;
  return new ShipError(
    'deploy',
    `${down.node}: the agent does not work (${describePod(down.pod)}), so the one on ${node} was not taken away`,
    {
      details: [`see why: kubectl -n ${namespace} ${what}`, withoutNode(down.node)],
      hint,
    },
  );
}

/** The way on when a node cannot be mended. */
export function withoutNode(node: string): string {
  return `a node that is gone for good is taken out of the cluster and of the config: kubectl delete node ${node}`;
}
