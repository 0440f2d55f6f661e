import { readTree } from '../../build/tree.ts';
import { checkValues, type ValueProblem } from '../../deploy/check-values.ts';
import { textAt } from '../../deploy/tree.ts';
import { checkSurroundings, type Surroundings } from '../../deploy/value-surroundings.ts';
import type { Values } from '../../deploy/tree.ts';
import { merge } from '../../deploy/values.ts';
import { reachPort, type Reach } from '../../facts/reach.ts';
import { gitReader } from '../../system/git.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { readFleetFacts } from './machines.ts';
import { readChartVersion, type UserValues } from './values.ts';

/**
 * Every problem of the user's values: how they are written, and whether they fit the machines. A
 * node that cannot be asked is left out here; the gate refuses it anyway.
 *
 * @throws ShipError `interrupted`
 */
export async function valueProblems(
  context: Context,
  fleet: Fleet,
  user: UserValues,
): Promise<readonly ValueProblem[]> {
  const written = checkValues(user.values, user.chart);
  const final = merge(user.chart.defaults, user.values);
  return [...written, ...checkSurroundings(final, await surroundings(context, fleet, final))];
}

async function surroundings(context: Context, fleet: Fleet, values: Values): Promise<Surroundings> {
  const { config } = context;
  const [facts, apiReached, chartVersion, operatorVersion] = await Promise.all([
    readFleetFacts(context, fleet),
    reachApi(fleet, values, context.signal),
    readChartVersion(config.deploy.chart),
    readOperatorVersion(context),
  ]);
  return {
    nodes: config.nodes,
    facts: facts.results,
    serviceCidr: config.k3s.serviceCidr,
    chartVersion,
    operatorVersion,
    apiReached,
  };
}

/** Only of a tree that builds the operator; another one's VERSION says nothing about it. */
export async function readOperatorVersion({ config }: Context): Promise<string | undefined> {
  if (!config.images.some(({ value }) => value === 'operator.image')) return undefined;
  return (await readTree(config.source, gitReader).catch(() => undefined))?.version;
}

/** Whether each node reaches the API server by the address that agents are told. */
async function reachApi(
  { sessions }: Fleet,
  values: Values,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Reach>> {
  const host = textAt(values, 'k8sServiceHost');
  // `auto` and an empty one are found by the agent itself.
  if (!/^[\w.:-]+$/.test(host) || host === 'auto') return new Map();
  const port = textAt(values, 'k8sServicePort') || '6443';
  const asked = [...sessions].map(
    async ([node, session]) => [node, await reachPort(session, 'tcp', host, port, signal)] as const,
  );
  return new Map(await Promise.all(asked));
}
