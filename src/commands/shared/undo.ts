import { relative } from 'node:path';
import { toShipError, type ErrorKind, type ShipError } from '../../core/errors.ts';
import { agentAmong, AGENT_SELECTOR, OPERATOR_SELECTOR } from '../../deploy/agents.ts';
import type { HelmStatus } from '../../deploy/cluster.ts';
import { lastFinished, wayBackTo, type History } from '../../deploy/history.ts';
import { NODE_CONFIG_ANNOTATION, PROFILE_LABEL } from '../../deploy/node-config.ts';
import type { NodesBefore } from '../../deploy/node-record.ts';
import { labelStep } from '../../deploy/steps.ts';
import { HOLD_LABEL } from '../../deploy/values.ts';
import { waitFor } from '../../core/wait.ts';
import { runStage } from '../../output/stage.ts';
import { allOf } from '../../output/together.ts';
import type { Context } from '../command.ts';
import type { DeployFlags } from './deploy-flags.ts';
import { saveEvidence } from './evidence.ts';
import type { Fleet } from './fleet.ts';
import { freeNodes } from './free-nodes.ts';
import { goBack, type Return, type Beforehand } from './go-back.ts';
import { patient, restoreSessions } from './patience.ts';
import { timeoutOf } from './timeout.ts';
import { restoreNodes } from './restore-nodes.ts';
import type { Rollout } from './rollout.ts';
import { acting } from './stages.ts';
import { staysText } from './stopped-rollback.ts';
import { shown, toldAt } from './told-at.ts';
import { readToldNodes } from './told-nodes.ts';
import {
  held,
  left,
  notUndone,
  provedUnchanged,
  rolledBack,
  stateOf,
  type Ending,
} from './undo-errors.ts';

const STAYS =
  'the rollout stays as far as it came: run the same command again to finish it, or undo it with ciliumship rollback';

const HOLDS = 'the first install stays as far as it came: run the same command again to finish it';

/** A cluster before a rollout: what its failure goes back to. */
interface Before extends Beforehand {
  readonly history: History;
}

/** Everything that ending a failed rollout goes by. */
interface Failed {
  readonly context: Context<DeployFlags>;
  readonly fleet: Fleet;
  readonly rollout: Rollout;
  readonly before: Before;
  readonly failure: ShipError;
}

/**
 * Runs `act`. When it fails after Helm changed something, evidence is saved and the last finished
 * revision is brought back. An interrupted rollout stays as it is: the next run finishes or undoes it.
 *
 * @throws ShipError `rolled-back` when what ran before runs again; `deploy` naming the state and what
 * to type when not; the failure itself when nothing was changed
 */
export async function undoing<T>(
  context: Context<DeployFlags>,
  fleet: Fleet,
  rollout: Rollout,
  act: () => Promise<T>,
): Promise<T> {
  if (context.flags.dryRun === true) return act();
  const before = await lookBefore(rollout);
  try {
    return await act();
  } catch (error) {
    if (context.signal.aborted) {
      context.output.note(STAYS);
      throw error;
    }
    throw await end({ context, fleet, rollout, before, failure: toShipError(error) });
  }
}

async function lookBefore({ cluster, helm, release, namespace }: Rollout): Promise<Before> {
  const [{ nodes, configs }, history, agents] = await allOf(
    readToldNodes(cluster, namespace),
    helm.history(release),
    cluster.pods(namespace, AGENT_SELECTOR),
  );
  return { history, nodes, configs, agents };
}

/** @returns the error that the command ends with */
async function end(failed: Failed): Promise<ShipError> {
  const { context, rollout, before, failure } = failed;
  const { helm, release } = rollout;
  const target = lastFinished(before.history);
  const ending: Ending = { failure, release, target: target?.revision, evidence: [] };
  try {
    const history = await whenAnswering(failed, async () => {
      // Helm waits for minutes where this call does for seconds.
      await rollout.cluster.nodes();
      return helm.history(release);
    });
    if (history.at(-1)?.revision === before.history.at(-1)?.revision) {
      // They are changed before Helm is asked: an agent that starts anew would obey.
      await restore(patiently(failed), shown(before), [PROFILE_LABEL, HOLD_LABEL]);
      return provedUnchanged(failure);
    }
    ending.evidence.push(await gather(failed).catch(noEvidence));
    if (context.flags.rollback === false) return left(ending);
    const bearing = patiently(failed);
    ending.evidence.push(...(await free(bearing)));
    if (target === undefined) return held(ending, await hold(bearing));
    const told = await toldAt(context, bearing.rollout, before, target);
    await restore(bearing, told, [PROFILE_LABEL]);
    await goBack(context, returnOf(bearing, target));
    return rolledBack(ending);
  } catch (error) {
    if (context.signal.aborted) {
      context.output.note(interruptedText(context, target));
      throw error;
    }
    return notUndone(ending, toShipError(error), await stateOf(rollout));
  }
}

function interruptedText({ flags }: Failed['context'], target: HelmStatus | undefined): string {
  if (flags.rollback === false) return STAYS;
  return target === undefined ? HOLDS : staysText(target.revision);
}

/** An API server that answered may go away once more, as agents are replaced once more. */
function patiently(failed: Failed): Failed {
  const { context, fleet, rollout } = failed;
  return { ...failed, rollout: { ...rollout, cluster: patient(context, fleet, rollout.cluster) } };
}

function restore(
  { context, rollout }: Failed,
  had: NodesBefore,
  labels: readonly string[],
): Promise<void> {
  return restoreNodes(context, rollout, had, labels);
}

/** The node that failed goes back first: it is the one that does not work. */
function returnOf({ rollout, before }: Failed, target: HelmStatus): Return {
  const { cluster, helm, release, stores } = rollout;
  const order = rollout.order.toReversed();
  const way = wayBackTo(before.history, target);
  return { cluster, helm, release, way, order, stores, before };
}

/** What does not pass by itself, however long one waits. */
const FOR_GOOD: ReadonlySet<ErrorKind> = new Set(['identity', 'usage']);

/**
 * An API server behind the node that failed may need a while, and has many words for it: a rollout
 * stays half done where one of them is taken for a refusal.
 */
async function whenAnswering<T>(
  { context, fleet, failure }: Failed,
  ask: () => Promise<T>,
): Promise<T> {
  let last = failure;
  const look = async (): Promise<T | undefined> => {
    await restoreSessions(fleet, context.signal);
    return ask().catch((error: unknown) => {
      last = toShipError(error);
      if (FOR_GOOD.has(last.kind)) throw last;
      return undefined;
    });
  };
  return waitFor(look, timeoutOf(context), context.signal, () => last);
}

/** Saves what the nodes show whose agent or operator is new, does not work, or is not there. */
async function gather({ context, fleet, rollout, before, failure }: Failed): Promise<string> {
  const { cluster, namespace, candidates } = rollout;
  const agents = await cluster.pods(namespace, AGENT_SELECTOR);
  const operators = await cluster.pods(namespace, OPERATOR_SELECTOR);
  const known = new Set(before.agents.map(({ uid }) => uid));
  const suspects = [
    ...agents.filter(({ ready, uid }) => !ready || !known.has(uid)),
    ...operators.filter(({ ready }) => !ready),
  ];
  const nodes = candidates
    .map(({ name }) => [name, suspects.filter(({ node }) => node === name)] as const)
    .filter(([name, pods]) => pods.length > 0 || agentAmong(agents, name) === undefined);
  const scene = { cluster, namespace, nodes: new Map(nodes) };
  const folder = await saveEvidence(context, fleet, scene, failure);
  return `evidence: ${relative(process.cwd(), folder)}`;
}

/** A node that its own programs cut off would hear of nothing that follows. */
async function free({ context, fleet, rollout }: Failed): Promise<readonly string[]> {
  const { cluster, workloads, candidates } = rollout;
  const names = candidates.map(({ name }) => name);
  const freed = await freeNodes(context, fleet, cluster, workloads, names);
  return freed.map((name) => `${name} was cut off by its own programs; they were taken off by SSH`);
}

/** A full disk here must not keep a node from its old agent. */
function noEvidence(error: unknown): string {
  return `no evidence was saved: ${toShipError(error).message}`;
}

/**
 * After a first install there is nothing to go back to: agents that did not prove themselves are
 * stopped, by holding their nodes again.
 */
async function hold({ context, rollout }: Failed): Promise<readonly string[]> {
  const { cluster, namespace, candidates } = rollout;
  const pods = await cluster.pods(namespace, AGENT_SELECTOR);
  const open = candidates.filter(
    ({ name }) => agentAmong(pods, name)?.annotations[NODE_CONFIG_ANNOTATION] === undefined,
  );
  const steps = open.map((node) => labelStep(node, { [HOLD_LABEL]: 'true' }, cluster));
  await runStage('Hold', steps, acting(context));
  return open.map(({ name }) => name);
}
