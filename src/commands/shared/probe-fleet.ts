import type { ShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import type { NodeImages, NodeStore } from '../../facts/node-store.ts';
import { settleStage } from '../../output/stage.ts';
import { probeImages, probeNode } from '../../transfer/probe.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { looking } from './stages.ts';

/** What the nodes of a fleet have, and why the others could not be asked. */
export interface ProbedFleet<Store = NodeStore> {
  readonly stores: ReadonlyMap<string, Store>;
  readonly failures: ReadonlyMap<string, ShipError>;
}

/**
 * Asks every node what it has, in parallel.
 *
 * @param stage its title
 * @throws ShipError `interrupted`
 */
export function probeFleet(context: Context, fleet: Fleet, stage: string): Promise<ProbedFleet> {
  return probe(context, fleet, stage, probeNode);
}

/** The same for its images only: what drift looks at, with the fewest rights. */
export function probeImagesOf(context: Context, fleet: Fleet): Promise<ProbedFleet<NodeImages>> {
  return probe(context, fleet, 'Look', probeImages);
}

async function probe<Store>(
  context: Context,
  fleet: Fleet,
  stage: string,
  ask: (session: Session, signal: AbortSignal) => Promise<Store>,
): Promise<ProbedFleet<Store>> {
  const steps = [...fleet.sessions].map(([node, session]): Step<Store> => ({
    id: node,
    title: `look what ${node} has`,
    run: ({ signal }) => ask(session, signal),
    describe: () => node,
  }));
  const settled = await settleStage(stage, steps, looking(context));
  return {
    stores: settled.results,
    failures: new Map([...fleet.failures, ...settled.failures]),
  };
}
