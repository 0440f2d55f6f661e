import { readTree } from '../../build/tree.ts';
import { checkValues, type ValueProblem } from '../../deploy/check-values.ts';
import { textAt } from '../../deploy/tree.ts';
import { API_HOST, checkSurroundings, type Surroundings } from '../../deploy/value-surroundings.ts';
import type { Values } from '../../deploy/tree.ts';
import { merge } from '../../deploy/values.ts';
import { reachPort, type Reach } from '../../facts/reach.ts';
import { gitReader } from '../../system/git.ts';
import type { Context } from '../command.ts';
import { openClusterAccess } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { readFleetFacts } from './machines.ts';
import {
  readChartVersion,
  readValues,
  requireNoErrors,
  type UserValues,
  type ValuesFlags,
} from './values.ts';

/** Every problem of the user's values: how they are written, and whether they fit the machines. */
export function valueProblems(user: UserValues, around: Surroundings): readonly ValueProblem[] {
  const written = checkValues(user.values, user.chart);
  return [...written, ...checkSurroundings(finalValues(user), around)];
}

function finalValues({ values, chart }: UserValues): Values {
  return merge(chart.defaults, values);
}

/** The same, where some of it stops a deploy. Throws ShipError `config` as `requireNoErrors`. */
export function fittingValues(
  context: Context<ValuesFlags>,
  user: UserValues,
  around: Surroundings,
): readonly ValueProblem[] {
  const problems = valueProblems(user, around);
  requireNoErrors(context, user, problems);
  return problems;
}

/**
 * Refuses values that do not fit the machines, before anything else is done that takes long. An API
 * server that nobody reaches may be down, and is left to whoever needs it.
 *
 * @returns what the values have to fit
 * @throws ShipError `config`, `interrupted`
 */
export async function requireFitting(
  context: Context<ValuesFlags>,
  fleet: Fleet,
): Promise<Surroundings> {
  const user = await readValues(context);
  const around = await readSurroundings(context, fleet, user);
  const problems = valueProblems(user, around);
  const ofApi = problems.filter(isOfApi);
  const isDown = ofApi.length > 0 && !(await answersUs(context, fleet));
  requireNoErrors(context, user, isDown ? problems.filter((each) => !isOfApi(each)) : problems);
  return around;
}

function isOfApi({ path, severity }: ValueProblem): boolean {
  return path === API_HOST && severity === 'error';
}

async function answersUs(context: Context, fleet: Fleet): Promise<boolean> {
  try {
    await using access = await openClusterAccess(context, fleet);
    await access.cluster.nodes();
    return true;
  } catch {
    context.signal.throwIfAborted();
    return false;
  }
}

/**
 * Asks machines, chart and tree what values have to fit. A node that cannot be asked is left out here;
 * the gate refuses it anyway.
 *
 * @throws ShipError `interrupted`
 */
export async function readSurroundings(
  context: Context,
  fleet: Fleet,
  user: UserValues,
): Promise<Surroundings> {
  const { config } = context;
  const [facts, apiReached, chartVersion, operatorVersion] = await Promise.all([
    readFleetFacts(context, fleet),
    reachApi(fleet, finalValues(user), context.signal),
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
  const host = textAt(values, API_HOST);
  // `auto` and an empty one are found by the agent itself.
  if (!/^[\w.:-]+$/.test(host) || host === 'auto') return new Map();
  const port = textAt(values, 'k8sServicePort') || '6443';
  const asked = [...sessions].map(
    async ([node, session]) => [node, await reachPort(session, 'tcp', host, port, signal)] as const,
  );
  return new Map(await Promise.all(asked));
}
