import { Cleanup } from '../../core/cleanup.ts';
import type { Node } from '../../core/node.ts';
import { together } from '../../output/together.ts';
import type { Context } from '../command.ts';
import type { HooksFlag } from '../flags.ts';
import { connectFleet } from './fleet.ts';
import { mayAsk, runHook } from './hooks.ts';
import type { ReadyImages } from './images.ts';
import { lockFleet, type LockedFleet } from './lock.ts';
import { askNodes, type Asked } from './look-nodes.ts';

/** All that shipping begins with: images in the store, and nodes that are ours until it is disposed of. */
export interface Ready extends AsyncDisposable {
  readonly ready: ReadyImages;
  readonly fleet: LockedFleet;
  readonly asked: Asked;
}

/**
 * Brings images into the store and meanwhile connects to the nodes, locks them and asks what they
 * have. Where the hook before-push or `bring` has a say, no node is connected before it agreed.
 *
 * @param bring brings the images, and refuses those that may not be shipped
 * @param mayRefuse whether it may refuse any
 * @throws what `bring` throws; ShipError `usage` when the hook says no, `interrupted`
 */
export async function makeReady(
  context: Context<HooksFlag>,
  nodes: readonly Node[],
  bring: () => Promise<ReadyImages>,
  mayRefuse: boolean,
): Promise<Ready> {
  await using opening = new Cleanup();
  const bringing = bring().then(async (images) => {
    await runHook(context, 'before-push');
    return images;
  });
  if (mayRefuse || mayAsk(context, 'before-push')) await bringing;
  const [ready, reached] = await together(context.output, bringing, reach(context, nodes, opening));
  const opened = opening.move();
  return { ready, ...reached, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

async function reach(context: Context, nodes: readonly Node[], opening: Cleanup) {
  const beside = { overlaps: true };
  const connected = opening.use(await connectFleet(context, nodes, beside));
  const fleet = opening.use(await lockFleet(context, connected, beside));
  return { fleet, asked: askNodes(context, fleet) };
}
