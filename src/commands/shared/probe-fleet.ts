import type { ShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import type { NodeStore } from '../../facts/node-store.ts';
import { settleStage } from '../../output/stage.ts';
import { probeNode } from '../../transfer/probe.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { looking } from './stages.ts';

/** What the nodes of a fleet have, and why the others could not be asked. */
export interface ProbedFleet {
  readonly stores: ReadonlyMap<string, NodeStore>;
  readonly failures: ReadonlyMap<string, ShipError>;
}

/**
 * Asks every node what it has, in parallel.
 *
 * @param stage its title
 * @throws ShipError `interrupted`
 */
export async function probeFleet(
  context: Context,
  fleet: Fleet,
  stage: string,
): Promise<ProbedFleet> {
  const steps = [...fleet.sessions].map(([node, session]): Step<NodeStore> => ({
    id: node,
    title: `look what ${node} has`,
    run: ({ signal }) => probeNode(session, signal),
    describe: () => node,
  }));
  const settled = await settleStage(stage, steps, looking(context));
  return {
    stores: settled.results,
    failures: new Map([...fleet.failures, ...settled.failures]),
  };
}
