import { ShipError } from '../../core/errors.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Run } from '../../core/step.ts';
import { AGENT_SELECTOR, AGENT_SET, OPERATOR_SET } from '../../deploy/agents.ts';
import type { Cluster, HelmRelease, LabelChange } from '../../deploy/cluster.ts';
import { FINISHED, UNFINISHED } from '../../deploy/descriptions.ts';
import { sameTemplate, type RenderedWorkload } from '../../deploy/manifest.ts';
import {
  foundNodeConfigs,
  labelChange,
  nodeConfigHash,
  nodeConfigsOf,
  toldByConfig,
  unwantedNodeConfigs,
} from '../../deploy/node-config.ts';
import { replaceAgentStep } from '../../deploy/replace-agent.ts';
import { labelStep, nodeConfigStep, readyStep, upgradeStep } from '../../deploy/steps.ts';
import { suspectAgents } from '../../deploy/suspects.ts';
import { HOLD_LABEL } from '../../deploy/values.ts';
import { untilAnswered, waitFor } from '../../core/wait.ts';
import { runStage } from '../../output/stage.ts';
import { allOf } from '../../output/together.ts';
import type { Context } from '../command.ts';
import type { DeployFlags } from './deploy-flags.ts';
import type { Fleet } from './fleet.ts';
import { agentOrder } from './agent-order.ts';
import { judgeOf } from './judge.ts';
import { recordNodesBefore } from './node-record.ts';
import { patienceOf, patient } from './patience.ts';
import { shippedOf } from './placed.ts';
import { requireImagesOn } from './recheck.ts';
import type { Rollout } from './rollout.ts';
import { acting } from './stages.ts';
import { timeoutOf } from './timeout.ts';

/**
 * Rolls out, one node at a time and the canary first, and stops at the first that fails (design §9).
 * An API server or a node that does not answer for a while is waited for.
 *
 * @returns the revision that names the finished rollout; undefined in a dry run
 * @throws ShipError `deploy`, `network`
 */
export async function rollOut(
  context: Context<DeployFlags>,
  fleet: Fleet,
  given: Rollout,
): Promise<number | undefined> {
  const rollout = { ...given, cluster: patient(context, fleet, given.cluster) };
  const { cluster, namespace, workloads, release, history } = rollout;
  if (context.flags.dryRun !== true) await recordNodesBefore(context, cluster, release, history);
  const suspects = await suspectAgents(rollout, release, history);
  await labelNodes(context, rollout);
  await (byChart(context) ? applyByChart(context, rollout) : applyInOurOrder(context, rollout));
  await replaceAgents(context, fleet, rollout, suspects);
  await settleWorkloads(context, { cluster, namespace, workloads });
  return upgrade('Finish', context, rollout, rollout.release, FINISHED);
}

function byChart({ flags }: Context<DeployFlags>): boolean {
  return flags.strategy === 'chart';
}

async function applyInOurOrder(context: Context<DeployFlags>, rollout: Rollout): Promise<void> {
  await upgrade('Helm', context, rollout, rollout.underWay, UNFINISHED);
  await configureNodes(context, rollout);
}

/** The chart's own strategy replaces agents as soon as Helm has applied: their devices come before. */
async function applyByChart(context: Context<DeployFlags>, rollout: Rollout): Promise<void> {
  await configureNodes(context, rollout);
  const release = { ...rollout.release, wait: timeoutOf(context) * rollout.candidates.length };
  await upgrade('Helm', context, rollout, release, UNFINISHED);
}

/** Before a first install every node is held, so that no agent starts before its configuration. */
async function labelNodes(context: Context<DeployFlags>, rollout: Rollout): Promise<void> {
  const { cluster, namespace } = rollout;
  const first = rollout.history.length === 0;
  if (first && byChart(context)) throw noOrder();
  const running = await cluster.pods(namespace, AGENT_SELECTOR);
  const hold: LabelChange = first && running.length === 0 ? { [HOLD_LABEL]: 'true' } : {};
  const changes = labelChanges(context.config.nodes, rollout)
    .map(([node, change]) => [node, { ...change, ...hold }] as const)
    .filter(([, change]) => Object.keys(change).length > 0);
  const steps = changes.map(([node, change]) => labelStep(node, change, cluster));
  await runStage('Label', steps, acting(context));
}

function noOrder(): ShipError {
  return new ShipError('config', '--strategy chart: a first install is done node by node', {
    hint: 'agents must not start before the devices of their nodes are set: ciliumship deploy',
  });
}

/** What each node that gets an agent lacks of its labels; `{}` when it lacks nothing. */
export function labelChanges(
  nodes: Context['config']['nodes'],
  { candidates }: Pick<Rollout, 'candidates'>,
) {
  return candidates.map((seen) => {
    const node = nodes.find((known) => kubernetesName(known) === seen.name);
    return [seen, node === undefined ? {} : labelChange(node, seen)] as const;
  });
}

async function upgrade(
  stage: string,
  context: Context,
  { helm }: Rollout,
  release: HelmRelease,
  description: string,
): Promise<number | undefined> {
  const step = upgradeStep(helm, release, description);
  return (await runStage(stage, [step], acting(context))).get(step.id);
}

/** The operator makes the CRD that the devices of the nodes are set by. */
async function configureNodes(context: Context, rollout: Rollout): Promise<void> {
  const { cluster, namespace, workloads } = rollout;
  const timeout = timeoutOf(context);
  const operators = workloads.filter(({ name }) => name === OPERATOR_SET);
  const ready = operators.map(({ name }) =>
    readyStep(cluster, namespace, { kind: 'Deployment', name }, timeout),
  );
  await runStage('Operator', ready, acting(context));
  const wanted = nodeConfigsOf(context.config.nodes);
  const found = await foundNodeConfigs(cluster, namespace);
  const gone = unwantedNodeConfigs(wanted, found);
  const needed = wanted.length + gone.length > 0;
  const steps = needed ? [nodeConfigStep(cluster, namespace, wanted, timeout, gone)] : [];
  await runStage('Devices', steps, acting(context));
}

const MEND = 'the nodes after it were left as they are; mend it, then: ciliumship ship';

async function replaceAgents(
  context: Context<DeployFlags>,
  fleet: Fleet,
  rollout: Rollout,
  suspects: ReadonlySet<string>,
): Promise<void> {
  const { config } = context;
  const { cluster, namespace, candidates, images, applied, rendered } = rollout;
  const stays = (): boolean =>
    applied.edits.length === 0 && sameTemplate(AGENT_SET, rendered, applied.manifest ?? '');
  const [hash, judge, found] = await allOf(
    newestHash(context, rollout, stays),
    judgeOf(context, fleet, rollout),
    foundNodeConfigs(cluster, namespace),
  );
  const told = toldByConfig(config.nodes, candidates, found);
  const image = shippedOf(config, images).agent;
  const timeout = timeoutOf(context);
  const { soak } = config.deploy;
  const patience = patienceOf(context, fleet);
  const targetOf = (node: string) => ({ hash, nodeConfig: nodeConfigHash(node, told) });
  const order = await agentOrder(context, { ...rollout, suspects, targetOf });
  const steps = order.map((node) => {
    const prepare = (run: Run) =>
      untilAnswered(() => requireImagesOn(node, context, fleet, rollout, run), patience);
    const startedByChart = byChart(context);
    const wanted = {
      node,
      namespace,
      all: order,
      suspects,
      target: targetOf(node),
      image,
      timeout,
      soak,
      judge,
      prepare,
      startedByChart,
      hint: MEND,
    };
    return replaceAgentStep(wanted, cluster);
  });
  await runStage('Roll out', steps, { ...acting(context), concurrency: 1, stopAtFailure: true });
}

/**
 * The template that Helm applied, once the DaemonSet's controller has seen it.
 *
 * @param stays whether Helm would change nothing of it: that decides in a dry run
 */
export async function newestHash(
  context: Context,
  { cluster, namespace }: { readonly cluster: Cluster; readonly namespace: string },
  stays: () => boolean | Promise<boolean>,
): Promise<string> {
  if (context.flags.dryRun === true) {
    const now = (await stays()) ? await cluster.currentHash(namespace, AGENT_SET) : undefined;
    return now ?? 'not rolled out yet';
  }
  const look = async (): Promise<string | undefined> => {
    const set = await cluster.workload(namespace, 'DaemonSet', AGENT_SET);
    return set?.observed === true ? cluster.currentHash(namespace, AGENT_SET) : undefined;
  };
  const late = (): ShipError =>
    new ShipError('deploy', `the controller did not look at DaemonSet ${AGENT_SET}`, {
      hint: 'see whether the controller-manager of the cluster runs',
      retryable: true,
    });
  return waitFor(look, timeoutOf(context), context.signal, late);
}

/** Waits for everything of a chart, once the nodes have a network. */
export async function settleWorkloads(
  context: Context,
  of: {
    readonly cluster: Cluster;
    readonly namespace: string;
    readonly workloads: readonly RenderedWorkload[];
  },
): Promise<void> {
  const steps = of.workloads.flatMap(({ kind, name }) =>
    kind === 'DaemonSet' || kind === 'Deployment'
      ? [readyStep(of.cluster, of.namespace, { kind, name }, timeoutOf(context))]
      : [],
  );
  await runStage('Settle', steps, acting(context));
}
