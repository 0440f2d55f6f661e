import { parseDuration } from '../../config/duration.ts';
import type { ShipImage } from '../../core/image.ts';
import { AGENT_SELECTOR, AGENT_SET, OPERATOR_SET } from '../../deploy/agents.ts';
import type { FoundNodeConfig, HelmRelease, LabelChange, Pod } from '../../deploy/cluster.ts';
import { FINISHED, UNFINISHED } from '../../deploy/descriptions.ts';
import {
  changedNodeConfigs,
  labelChange,
  nodeConfigHash,
  nodeConfigsOf,
  unwantedNodeConfigs,
} from '../../deploy/node-config.ts';
import { rolloutOrder } from '../../deploy/order.ts';
import { replaceAgentStep } from '../../deploy/replace-agent.ts';
import { labelStep, nodeConfigStep, readyStep, upgradeStep } from '../../deploy/steps.ts';
import { isUnchanged } from '../../deploy/unchanged.ts';
import { HOLD_LABEL } from '../../deploy/values.ts';
import { waitFor } from '../../deploy/wait.ts';
import { ShipError } from '../../core/errors.ts';
import { kubernetesName } from '../../core/node.ts';
import { runStage } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import type { ClusterAccess } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { shippedOf } from './placed.ts';
import { prepareRollout, type Rollout } from './rollout.ts';
import { acting } from './stages.ts';

export interface Deployed {
  readonly state: 'deployed' | 'nothing to do' | 'planned';
  readonly namespace: string;
  readonly revision: number | undefined;
  readonly agents: readonly Pod[];
}

/**
 * Deploys shipped images: refuses what cannot work before anything is changed, then rolls out one
 * node at a time and stops at the first that fails (design §9).
 *
 * @throws ShipError `config` (nothing was changed), `deploy` (the state is named), `network`
 */
export async function deployImages(
  context: Context,
  fleet: Fleet,
  access: ClusterAccess,
  images: readonly ShipImage[],
): Promise<Deployed> {
  const rollout = await prepareRollout(context, fleet, access, images);
  if (await nothingToDo(context, rollout)) {
    await settleWorkloads(context, rollout);
    return result('nothing to do', rollout);
  }
  await labelNodes(context, rollout);
  await upgrade('Helm', context, rollout, rollout.underWay, UNFINISHED);
  await configureNodes(context, rollout);
  await replaceAgents(context, rollout);
  await settleWorkloads(context, rollout);
  await upgrade('Finish', context, rollout, rollout.release, FINISHED);
  return result(context.flags.dryRun === true ? 'planned' : 'deployed', rollout);
}

async function nothingToDo({ config }: Context, rollout: Rollout): Promise<boolean> {
  const { cluster, helm, namespace, release, candidates, rendered } = rollout;
  const version = await cluster.nodeConfigVersion();
  const found = version === undefined ? [] : await cluster.nodeConfigs(namespace, version);
  const labels = labelChanges(config.nodes, rollout).filter(([, change]) => !isEmpty(change));
  return isUnchanged({
    rendered,
    applied: await helm.manifest(release),
    status: await helm.status(release),
    agents: await cluster.pods(namespace, AGENT_SELECTOR),
    nodeConfigs: new Map(candidates.map(({ name }) => [name, nodeConfigHash(name, config.nodes)])),
    hash: await cluster.currentHash(namespace, AGENT_SET),
    open: labels.length + openNodeConfigs(config.nodes, found),
  });
}

function openNodeConfigs(
  nodes: Context['config']['nodes'],
  found: readonly FoundNodeConfig[],
): number {
  const wanted = nodeConfigsOf(nodes);
  return changedNodeConfigs(wanted, found).length + unwantedNodeConfigs(wanted, found).length;
}

/** Before a first install every node is held, so that no agent starts before its configuration. */
async function labelNodes(context: Context, rollout: Rollout): Promise<void> {
  const { cluster, helm, release, namespace } = rollout;
  const first = (await helm.status(release)) === undefined;
  const running = await cluster.pods(namespace, AGENT_SELECTOR);
  const hold: LabelChange = first && running.length === 0 ? { [HOLD_LABEL]: 'true' } : {};
  const changes = labelChanges(context.config.nodes, rollout)
    .map(([node, change]) => [node, { ...change, ...hold }] as const)
    .filter(([, change]) => !isEmpty(change));
  const steps = changes.map(([node, change]) => labelStep(node, change, cluster));
  await runStage('Label', steps, acting(context));
}

function labelChanges(nodes: Context['config']['nodes'], { candidates }: Rollout) {
  return candidates.map((seen) => {
    const node = nodes.find((known) => kubernetesName(known) === seen.name);
    return [seen, node === undefined ? {} : labelChange(node, seen)] as const;
  });
}

function isEmpty(change: LabelChange): boolean {
  return Object.keys(change).length === 0;
}

async function upgrade(
  stage: string,
  context: Context,
  { helm }: Rollout,
  release: HelmRelease,
  description: string,
): Promise<void> {
  await runStage(stage, [upgradeStep(helm, release, description)], acting(context));
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
  const version = await cluster.nodeConfigVersion();
  const found = version === undefined ? [] : await cluster.nodeConfigs(namespace, version);
  const needed = wanted.length > 0 || unwantedNodeConfigs(wanted, found).length > 0;
  const steps = needed ? [nodeConfigStep(cluster, namespace, wanted, timeout)] : [];
  await runStage('Devices', steps, acting(context));
}

async function replaceAgents(context: Context, rollout: Rollout): Promise<void> {
  const { config } = context;
  const { cluster, namespace, candidates, images } = rollout;
  const hash = await newestHash(context, rollout);
  const image = shippedOf(config, images).agent;
  const back = await wayBack(rollout);
  const timeout = timeoutOf(context);
  const { soak, canary } = config.deploy;
  const steps = rolloutOrder(candidates, config.nodes, canary).map((node) => {
    const target = { hash, nodeConfig: nodeConfigHash(node, config.nodes) };
    return replaceAgentStep({ node, namespace, back, target, image, timeout, soak }, cluster);
  });
  await runStage('Roll out', steps, { ...acting(context), concurrency: 1, stopAtFailure: true });
}

/** Helm's own rollback without a revision may go to one that failed (helm-rollout §3). */
async function wayBack({ helm, namespace, release }: Rollout): Promise<string | undefined> {
  const finished = (await helm.history(release)).findLast(({ description }) =>
    description.startsWith(FINISHED),
  );
  return finished === undefined
    ? undefined
    : `helm rollback ${release.name} ${finished.revision} -n ${namespace}`;
}

/** The template that Helm applied, once the DaemonSet's controller has seen it. */
async function newestHash(context: Context, { cluster, namespace }: Rollout): Promise<string> {
  if (context.flags.dryRun === true) return 'not rolled out yet';
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

/** Everything else of the chart, once the nodes have a network. */
async function settleWorkloads(context: Context, rollout: Rollout): Promise<void> {
  const { cluster, namespace, workloads } = rollout;
  const steps = workloads.flatMap(({ kind, name }) =>
    kind === 'DaemonSet' || kind === 'Deployment'
      ? [readyStep(cluster, namespace, { kind, name }, timeoutOf(context))]
      : [],
  );
  await runStage('Settle', steps, acting(context));
}

/** Milliseconds that each node and workload gets. */
function timeoutOf({ config, flags }: Context): number {
  return flags.timeout === undefined ? config.deploy.timeout : parseDuration(flags.timeout);
}

async function result(state: Deployed['state'], rollout: Rollout): Promise<Deployed> {
  const { cluster, helm, namespace, release } = rollout;
  const [status, agents] = await Promise.all([
    helm.status(release),
    cluster.pods(namespace, AGENT_SELECTOR),
  ]);
  return { state, namespace, revision: status?.revision, agents };
}
