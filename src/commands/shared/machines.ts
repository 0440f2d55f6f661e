import { checkReach } from '../../cluster/reach.ts';
import type { Check } from '../../core/check.ts';
import type { Remote } from '../../core/remote.ts';
import type { Step } from '../../core/step.ts';
import { readNodeFacts, type NodeFacts } from '../../facts/node-facts.ts';
import { settleStage, type Settled } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { looking } from './stages.ts';

/**
 * Asks every node of a fleet what it is, in parallel.
 *
 * @throws ShipError `interrupted`
 */
export async function readFleetFacts(context: Context, fleet: Fleet): Promise<Settled<NodeFacts>> {
  const steps = [...fleet.sessions].map(([node, session]): Step<NodeFacts> => ({
    id: node,
    title: `look at ${node}`,
    run: ({ signal }) => readNodeFacts(session, signal),
    describe: ({ os }) => `${node} ${os.name}`,
  }));
  return settleStage('Look', steps, looking(context));
}

/**
 * How each node of a fleet reaches every other node of the config; the checks of a node that could
 * not be asked are missing, and it is among the failures.
 *
 * @throws ShipError `interrupted`
 */
export async function checkFleetReach(
  context: Context,
  fleet: { readonly sessions: ReadonlyMap<string, Remote> },
): Promise<Settled<readonly Check[]>> {
  const { nodes } = context.config;
  const steps = [...fleet.sessions].map(([name, session]): Step<readonly Check[]> => ({
    id: name,
    title: `reach the others from ${name}`,
    run: async ({ signal }) => {
      const from = nodes.filter((node) => node.name === name);
      const others = nodes.filter((node) => node.name !== name);
      const pairs = from.flatMap((node) => others.map((other) => [node, other] as const));
      const checks = pairs.map(([node, other]) => checkReach(node, other, session, signal));
      return (await Promise.all(checks)).flat();
    },
    describe: () => name,
  }));
  return settleStage('Reach', steps, looking(context));
}
