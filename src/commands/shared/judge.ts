import type { Check } from '../../core/check.ts';
import { ShipError } from '../../core/errors.ts';
import { lastLines } from '../../core/text.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Run } from '../../core/step.ts';
import { agentAmong, AGENT_SELECTOR, ENVOY_SELECTOR } from '../../deploy/agents.ts';
import type { Pod } from '../../deploy/cluster.ts';
import { checkNode, isOpen } from '../../deploy/validate.ts';
import { untilAnswered, waitFor } from '../../core/wait.ts';
import { wantedOn } from '../../deploy/wanted.ts';
import { runProcess } from '../../system/process.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { Context } from '../command.ts';
import type { DeployFlags } from './deploy-flags.ts';
import type { Fleet } from './fleet.ts';
import { lookAtNode } from './look-at-node.ts';
import { patienceOf } from './patience.ts';
import { shippedOf } from './placed.ts';
import { timeoutOf } from './timeout.ts';
import type { Rollout } from './rollout.ts';
import { answeringNodes, hasEnvoy } from './validate-nodes.ts';

/** Milliseconds that an agent which is ready gets until everything else is as wanted. */
const PATIENCE = 30_000;

/**
 * The judge of new agents: what `validate` checks on a node must be right, and the user's own gate
 * must agree.
 *
 * @param rollout whose release Helm has applied
 * @returns a function that throws ShipError `deploy` naming the node and what is wrong on it
 */
export async function judgeOf(context: Context<DeployFlags>, fleet: Fleet, rollout: Rollout) {
  const { cluster, namespace } = rollout;
  const { nodes } = context.config;
  const shipped = shippedOf(context.config, rollout.images);
  const config = (await cluster.configMap(namespace, 'cilium-config')) ?? {};
  const envoy = await hasEnvoy(cluster, namespace);
  return async (agent: Pod, run: Run): Promise<void> => {
    const node = nodes.find((known) => kubernetesName(known) === agent.node);
    const session = fleet.sessions.get(node?.name ?? '');
    if (node === undefined || session === undefined) return;
    run.progress({ text: `look at ${node.name}` });
    const name = kubernetesName(node);
    const patience = { ...patienceOf(context, fleet), timeout: PATIENCE };
    const look = async (): Promise<readonly Check[]> => {
      const answering = answeringNodes(await cluster.pods(namespace, AGENT_SELECTOR));
      const wanted = wantedOn(name, nodes, { config, shipped, envoy, answering });
      const envoys = envoy ? await cluster.pods(namespace, ENVOY_SELECTOR) : [];
      // What waited for a network before this agent came is tried again at the kubelet's own pace.
      const asked = { cluster, namespace, agent, stuck: undefined };
      const seen = { ...asked, envoy: agentAmong(envoys, name) };
      return checkNode(wanted, await lookAtNode(session, seen, run.signal));
    };
    await requireValid(session, run, () => untilAnswered(look, patience));
    await askGate(context.flags.gate, node.name, timeoutOf(context), run);
  };
}

async function requireValid(
  { node }: Session,
  { signal }: Run,
  look: () => Promise<readonly Check[]>,
): Promise<void> {
  let open: readonly Check[] = [];
  const isValid = async (): Promise<true | undefined> => {
    open = (await look()).filter(isOpen);
    return open.length === 0 ? true : undefined;
  };
  await waitFor(isValid, PATIENCE, signal, () => {
    return new ShipError('deploy', `${node}: ${open.map(complaint).join('; ')}`, {
      details: open.flatMap(({ remedy }) => remedy ?? []),
    });
  });
}

function complaint({ check, state, wanted, found }: Check): string {
  return state === 'unknown' ? `${check}: unknown: ${found}` : `${check}: ${found}, not ${wanted}`;
}

async function askGate(
  command: string | undefined,
  node: string,
  timeout: number,
  run: Run,
): Promise<void> {
  if (command === undefined) return;
  run.progress({ text: `ask the gate about ${node}` });
  const { code, stdout, stderr } = await runProcess(['sh', '-c', command], {
    env: { CILIUMSHIP_NODE: node },
    signal: run.signal,
    timeout,
    late: () =>
      new ShipError(
        'deploy',
        `${node}: the gate did not answer in ${timeout / 1000} s: ${command}`,
      ),
    withDescendants: true,
    accept: Array.from({ length: 255 }, (_, index) => index + 1),
  });
  if (code === 0) return;
  throw new ShipError('deploy', `${node}: the gate said no with exit code ${code}: ${command}`, {
    details: lastLines(`${stdout}\n${stderr}`, 10),
  });
}
