import type { ShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { counted } from '../../core/text.ts';
import { removalCommands, removeImages } from '../../import/retain.ts';
import { formatBytes } from '../../output/progress.ts';
import { settleStage } from '../../output/stage.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { Context } from '../command.ts';
import type { ClusterAccess } from './cluster.ts';
import type { LockedFleet } from './lock.ts';
import { freedBytes, readImages, type FoundImages } from './retention.ts';
import type { ShippedNode } from './shipped-node.ts';
import { acting } from './stages.ts';

/** What went from one node, or would in a dry run. Size in bytes. */
export interface Pruned {
  readonly node: string;
  readonly removed: readonly string[];
  readonly freed: number;
}

/**
 * Removes shipped images that nothing needs from every node of a fleet.
 *
 * @param access the cluster, when it is open already
 * @throws ShipError `interrupted`
 */
export async function pruneFleet(
  context: Context,
  fleet: LockedFleet,
  access?: ClusterAccess,
): Promise<{
  readonly pruned: readonly Pruned[];
  readonly failures: ReadonlyMap<string, ShipError>;
}> {
  const found = await readImages(context, fleet, access);
  const steps = [...fleet.sessions].flatMap(([node, session]) => {
    const on = found.nodes.get(node);
    return on === undefined ? [] : [pruneStep(node, session, on)];
  });
  const settled = await settleStage('Prune', steps, acting(context));
  const pruned = [...found.nodes]
    .filter(([node]) => !settled.failures.has(node))
    .map(([node, on]) => prunedOf(node, on));
  return { pruned, failures: new Map([...found.failures, ...settled.failures]) };
}

/**
 * What a push does at its end: the push before it goes, unless it was deployed. A failure is said
 * and no more, for what was shipped is proved.
 *
 * @param access the cluster, when it is open already; asked only when something may go
 */
export async function dropSuperseded(
  context: Context,
  fleet: LockedFleet,
  shipped: readonly Pick<ShippedNode, 'state'>[],
  access: () => Promise<ClusterAccess | undefined>,
): Promise<void> {
  if (!shipped.some(({ state }) => state === 'shipped')) return;
  const { failures } = await pruneFleet(context, fleet, await access());
  for (const [node, { message }] of failures) {
    if (!fleet.failures.has(node)) context.output.note(`not cleaned up: ${message}`);
  }
}

function pruneStep(node: string, session: Session, on: FoundImages): Step<Pruned> {
  const gone = on.images.filter(({ stays }) => !stays);
  const pruned = prunedOf(node, on);
  return {
    id: node,
    title: `remove ${counted(gone.length, 'image')} from ${node}`,
    plan: () => removalCommands(on.store, gone).map((argv) => `sudo ${argv.join(' ')}`),
    done: async () => (gone.length === 0 ? pruned : undefined),
    run: async ({ signal }) => {
      await removeImages(session, on.store, gone, signal);
      return pruned;
    },
    describe: ({ freed, removed }) =>
      `${node} ${removed.length === 0 ? 'nothing to remove' : formatBytes(freed)}`,
  };
}

function prunedOf(node: string, on: FoundImages): Pruned {
  const gone = on.images.filter(({ stays }) => !stays);
  const removed = gone.map(({ digestName }) => digestName);
  return { node, removed, freed: freedBytes(on, gone) };
}
