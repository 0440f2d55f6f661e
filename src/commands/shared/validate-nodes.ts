import type { Check } from '../../core/check.ts';
import type { ShipImage } from '../../core/image.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Step } from '../../core/step.ts';
import { AGENT_CONTAINER, AGENT_SELECTOR, OPERATOR_SELECTOR } from '../../deploy/agents.ts';
import { parseAgentStatus, type AgentStatus } from '../../deploy/agent-status.ts';
import type { Cluster, Pod } from '../../deploy/cluster.ts';
import { checkNode, checkOperator } from '../../deploy/validate.ts';
import { wantedOn } from '../../deploy/wanted.ts';
import { parseLinks, type Link } from '../../facts/links.ts';
import { settleStage } from '../../output/stage.ts';
import type { Session } from '../../system/ssh/session.ts';
import { combineFailures, ShipError } from '../../core/errors.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { shippedOf } from './placed.ts';
import { looking } from './stages.ts';

const STATUS = ['cilium-dbg', 'status', '-o', 'json'];

/**
 * Looks at every node: the running agent, its own status, and the links of the kernel.
 *
 * @param images what was shipped; an empty list leaves image IDs unjudged
 * @throws ShipError `deploy` when Cilium is not installed; `network`, `identity`
 */
export async function validateNodes(
  context: Context,
  fleet: Fleet,
  cluster: Cluster,
  images: readonly ShipImage[],
): Promise<readonly Check[]> {
  const { config, flags } = context;
  const namespace = flags.namespace ?? config.deploy.namespace;
  const settings = await cluster.configMap(namespace, 'cilium-config');
  if (settings === undefined) throw notInstalled(namespace);
  const pods = await cluster.pods(namespace, AGENT_SELECTOR);
  const shipped = shippedOf(config, images);
  const wanted = (node: string) => wantedOn(node, config.nodes, settings, shipped);
  const steps = [...fleet.sessions].map(([name, session]): Step<readonly Check[]> => ({
    id: name,
    title: `look at ${name}`,
    run: async ({ signal }) => {
      const node = config.nodes.find((known) => known.name === name);
      const kubernetes = node === undefined ? name : kubernetesName(node);
      const agent = pods.find((pod) => pod.node === kubernetes && !pod.deleting);
      const [links, status] = await Promise.all([
        readLinks(session, signal),
        readStatus(cluster, namespace, agent),
      ]);
      return checkNode(wanted(kubernetes), { node: name, agent, status, links });
    },
    describe: (checks) => `${name} ${summary(checks)}`,
  }));
  const settled = await settleStage('Validate', steps, looking(context));
  const failures = new Map([...fleet.failures, ...settled.failures]);
  if (failures.size > 0) throw combineFailures('validate', failures);
  const operator = checkOperator(wanted(''), await cluster.pods(namespace, OPERATOR_SELECTOR));
  const checks = [...[...settled.results.values()].flat(), ...operator];
  context.output.record({ checks });
  return checks;
}

/** As root: for others the kernel leaves the name of the XDP program out. */
async function readLinks(session: Session, signal: AbortSignal): Promise<readonly Link[]> {
  return parseLinks((await session.run(['ip', '-j', '-d', 'link'], { sudo: true, signal })).stdout);
}

/** An agent that cannot be asked is judged by its pod; the checks of its status are unknown. */
async function readStatus(
  cluster: Cluster,
  namespace: string,
  agent: Pod | undefined,
): Promise<AgentStatus | undefined> {
  if (agent?.ready !== true) return undefined;
  const printed = cluster.exec(namespace, agent, AGENT_CONTAINER, STATUS);
  return parseAgentStatus(await printed.catch(() => ''));
}

function summary(checks: readonly Check[]): string {
  const good = checks.filter(({ state }) => state === 'ok').length;
  return `${good} of ${checks.length} ok`;
}

function notInstalled(namespace: string): ShipError {
  return new ShipError('deploy', `Cilium is not installed in namespace ${namespace}`, {
    hint: 'install it: ciliumship deploy',
  });
}
