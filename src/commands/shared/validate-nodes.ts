import { setTimeout as sleep } from 'node:timers/promises';
import type { Check } from '../../core/check.ts';
import { combineFailures, ShipError } from '../../core/errors.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Step } from '../../core/step.ts';
import {
  agentAmong,
  AGENT_SELECTOR,
  ENVOY_SELECTOR,
  ENVOY_SET,
  OPERATOR_SELECTOR,
} from '../../deploy/agents.ts';
import { checkOperator } from '../../deploy/check-pods.ts';
import type { Cluster, Pod, StuckPod } from '../../deploy/cluster.ts';
import { checkNode } from '../../deploy/validate.ts';
import { wantedOn, type Installed, type Shipped } from '../../deploy/wanted.ts';
import { settleStage } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import { releaseOf } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { lookAtNode } from './look-at-node.ts';
import { looking } from './stages.ts';

/** Milliseconds that a cluster gets to come to rest after a rollout that went well. */
export const SETTLING = 30_000;
/** Milliseconds between two looks: each runs the agents' own probe. */
const PAUSE = 2_000;

/** What a cluster shows, read once for all nodes. */
interface Scene {
  readonly installed: Installed;
  readonly agents: readonly Pod[];
  readonly envoys: readonly Pod[];
  readonly operators: readonly Pod[];
  readonly stuck: readonly StuckPod[] | undefined;
}

/**
 * Looks at every node: the running agent and what it says, envoy, and what the kernel has.
 *
 * @param shipped what agent and operator must run; where it is undefined, image IDs are not judged
 * @param patience milliseconds in which what is not as wanted may still become so
 * @throws ShipError `deploy` when Cilium is not installed; `network`, `identity`
 */
export async function validateNodes(
  context: Context,
  fleet: Fleet,
  cluster: Cluster,
  shipped: Shipped,
  patience = 0,
): Promise<readonly Check[]> {
  const end = performance.now() + patience;
  let said = '';
  for (;;) {
    const checks = await validateOnce(context, fleet, cluster, shipped);
    const failed = checks.filter(({ state }) => state === 'failed').length;
    if (failed === 0 || performance.now() > end) {
      context.output.record({ checks });
      return checks;
    }
    const text = `${failed} of ${checks.length} are not as wanted yet`;
    if (text !== said) context.output.note(text);
    said = text;
    await sleep(PAUSE, undefined, { signal: context.signal });
  }
}

async function validateOnce(
  context: Context,
  fleet: Fleet,
  cluster: Cluster,
  shipped: Shipped,
): Promise<readonly Check[]> {
  const { nodes } = context.config;
  const { namespace } = releaseOf(context);
  const scene = await readScene(cluster, namespace, shipped);
  const steps = [...fleet.sessions].map(([name, session]): Step<readonly Check[]> => ({
    id: name,
    title: `look at ${name}`,
    run: async ({ signal }) => {
      const node = nodes.find((known) => known.name === name);
      const kubernetes = node === undefined ? name : kubernetesName(node);
      const asked = {
        ...{ cluster, namespace, stuck: scene.stuck },
        agent: agentAmong(scene.agents, kubernetes),
        envoy: agentAmong(scene.envoys, kubernetes),
      };
      const wanted = wantedOn(kubernetes, nodes, scene.installed);
      return checkNode(wanted, await lookAtNode(session, asked, signal));
    },
    describe: (checks) => `${name} ${summary(checks)}`,
  }));
  const settled = await settleStage('Validate', steps, looking(context));
  const failures = new Map([...fleet.failures, ...settled.failures]);
  if (failures.size > 0) throw combineFailures('validate', failures);
  const operator = checkOperator({ operatorImage: shipped.operator }, scene.operators);
  return [...[...settled.results.values()].flat(), ...operator];
}

async function readScene(cluster: Cluster, namespace: string, shipped: Shipped): Promise<Scene> {
  const [config, agents, envoys, operators, stuck] = await Promise.all([
    cluster.configMap(namespace, 'cilium-config'),
    cluster.pods(namespace, AGENT_SELECTOR),
    cluster.pods(namespace, ENVOY_SELECTOR),
    cluster.pods(namespace, OPERATOR_SELECTOR),
    // Whoever may not look into every namespace can still judge the rest.
    cluster.stuckPods().catch(() => undefined),
  ]);
  if (config === undefined) throw notInstalled(namespace);
  const envoy = await hasEnvoy(cluster, namespace);
  const installed = { config, shipped, envoy, answering: answeringNodes(agents) };
  return { installed, agents, envoys, operators, stuck };
}

/** Nodes whose agents answer others. */
export function answeringNodes(agents: readonly Pod[]): readonly string[] {
  return agents.flatMap(({ node, ready, deleting }) =>
    node !== undefined && ready && !deleting ? [node] : [],
  );
}

/** Without a DaemonSet of its own envoy runs inside of the agent. */
export async function hasEnvoy(cluster: Cluster, namespace: string): Promise<boolean> {
  return (await cluster.workload(namespace, 'DaemonSet', ENVOY_SET)) !== undefined;
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
