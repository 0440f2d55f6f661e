import { combineFailures, ShipError, toShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { OPERATOR_CONTAINER, OPERATOR_SELECTOR } from '../../deploy/agents.ts';
import type { Finding } from '../../doctor/problem.ts';
import type { ClusterView, View } from '../../doctor/view.ts';
import { readNodeHealth, type NodeHealth } from '../../facts/node-health.ts';
import { settleStage, type Settled } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import { shippedNames } from './shipped-names.ts';
import { helmOn, openClusterAccess, releaseOf, type ClusterAccess } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { looking } from './stages.ts';
import { readUserText, textOf } from './user-text.ts';
import { readOperatorVersion } from './values-checks.ts';
import { readChartVersion } from './values.ts';

/** What was seen, and why the rest was not. */
export interface Sight {
  readonly view: View;
  /** Node → why it could not be looked at. */
  readonly nodes: ReadonlyMap<string, ShipError>;
  /** Why the cluster could not; undefined when it was. */
  readonly cluster: ShipError | undefined;
}

/**
 * Looks at everything that doctor judges: the nodes of a fleet, the cluster if it answers, and the
 * user's own files.
 *
 * @throws ShipError `config` when the values file cannot be read, `interrupted`
 */
export async function viewFleet(context: Context, fleet: Fleet): Promise<Sight> {
  const [{ results, failures: lost }, cluster] = await Promise.all([
    lookAtNodes(context, fleet),
    viewCluster(context, fleet),
  ]);
  const failures = new Map([...fleet.failures, ...lost]);
  const view = await viewOf(context, { results, failures }, seenOf(cluster));
  return { view, nodes: failures, cluster: cluster instanceof ShipError ? cluster : undefined };
}

/**
 * What could not be looked at is not known to be well.
 *
 * @param findings what a silent cluster is no loss to, when all of it could be said
 * @throws ShipError of the highest class of what hid something
 */
export function requireSeen({ nodes, cluster }: Sight, findings: readonly Finding[]): void {
  const open = findings.some(({ state }) => state === 'unknown');
  const hidden = cluster !== undefined && open ? [['the cluster', cluster] as const] : [];
  const failures = new Map([...nodes, ...hidden]);
  if (failures.size > 0) throw combineFailures('doctor', failures);
}

function seenOf(cluster: ClusterView | ShipError): ClusterView | undefined {
  return cluster instanceof ShipError ? undefined : cluster;
}

/**
 * The same once more, of one node only.
 *
 * @param where its name; any other name looks at no node
 * @throws ShipError as `readNodeHealth`
 */
export async function viewAgain(
  context: Context,
  fleet: Fleet,
  where: string,
  signal: AbortSignal,
): Promise<View> {
  const session = fleet.sessions.get(where);
  const results = new Map<string, NodeHealth>();
  if (session !== undefined) results.set(where, await readNodeHealth(session, signal));
  const cluster = seenOf(await viewCluster(context, fleet));
  return viewOf(context, { results, failures: new Map() }, cluster);
}

async function viewOf(
  context: Context,
  { results, failures }: Pick<Settled<NodeHealth>, 'results' | 'failures'>,
  cluster: ClusterView | undefined,
): Promise<View> {
  const { config } = context;
  return {
    nodes: config.nodes.flatMap((node) => {
      const health = results.get(node.name);
      return health === undefined ? [] : [{ ...health, node }];
    }),
    unseen: new Map([...failures].map(([name, error]) => [name, error.message])),
    cluster,
    value: textOf(await readUserText(config.deploy.values)),
    images: await shippedNames(context),
    versions: {
      chart: config.deploy.remoteChart?.version ?? (await readChartVersion(config.deploy.chart)),
      tree: await readOperatorVersion(context),
    },
    now: new Date(),
  };
}

function lookAtNodes(context: Context, fleet: Fleet) {
  const steps = [...fleet.sessions].map(([node, session]): Step<NodeHealth> => ({
    id: node,
    title: `look at ${node}`,
    run: ({ signal }) => readNodeHealth(session, signal),
    describe: ({ machine }) => `${node} ${machine.os.name}`,
  }));
  return settleStage('Look', steps, looking(context));
}

/** A cluster that does not answer ends no look: it may be what is wrong. */
async function viewCluster(context: Context, fleet: Fleet): Promise<ClusterView | ShipError> {
  try {
    await using access = await openClusterAccess(context, fleet);
    return await readCluster(context, access);
  } catch (error) {
    context.signal.throwIfAborted();
    const failure = toShipError(error);
    context.output.note(`the cluster was not looked at: ${failure.message}`);
    return failure;
  }
}

async function readCluster(context: Context, access: ClusterAccess): Promise<ClusterView> {
  const { cluster } = access;
  const { name: release, namespace } = releaseOf(context);
  const [pods, namespaces, apiServices, settings, revisions, operatorLog] = await Promise.all([
    cluster.pods(namespace, ''),
    cluster.namespaces(),
    cluster.apiServices(),
    cluster.configMap(namespace, 'cilium-config'),
    readRevisions(context, access),
    readOperatorLog(access, namespace),
  ]);
  return {
    release,
    namespace,
    pods,
    namespaces,
    apiServices,
    config: settings,
    revisions,
    operatorLog,
  };
}

async function readRevisions(context: Context, access: ClusterAccess) {
  try {
    const helm = await helmOn(context, access);
    return await helm.history(releaseOf(context));
  } catch {
    context.signal.throwIfAborted();
    return undefined;
  }
}

/** Only of one that is not ready: what a running one wrote is no sign of anything. */
async function readOperatorLog({ cluster }: ClusterAccess, namespace: string) {
  const operators = await cluster.pods(namespace, OPERATOR_SELECTOR);
  const pod = operators.find(({ ready }) => !ready);
  if (pod === undefined) return [];
  return cluster.logs(namespace, pod, OPERATOR_CONTAINER).catch(() => undefined);
}
