import { Cleanup } from '../../core/cleanup.ts';
import type { Node } from '../../core/node.ts';
import { together } from '../../output/together.ts';
import type { Context } from '../command.ts';
import type { HooksFlag } from '../flags.ts';
import type { BlobStore } from '../../image/store.ts';
import type { SendOptions } from '../../transfer/send.ts';
import { connectFleet } from './fleet.ts';
import { mayAsk, runHook } from './hooks.ts';
import type { BringInto, ReadyImages } from './images.ts';
import { lockFleet, type LockedFleet } from './lock.ts';
import { askNodes, type Asked } from './look-nodes.ts';
import { packEarly, type MakeWire } from './pack-early.ts';
import { sendEarly, type EarlySending } from './send-early.ts';
import { sendOptions } from './send-options.ts';

/** All that shipping begins with: images in the store, and nodes that are ours until it is disposed of. */
export interface Ready extends AsyncDisposable {
  readonly ready: ReadyImages;
  readonly fleet: LockedFleet;
  readonly asked: Asked;
  /** Makes wire forms; those of what was just exported may be made already. */
  readonly makeWire: MakeWire;
  readonly options: SendOptions;
  /** What travels to the nodes since it came out of Docker. */
  readonly early: EarlySending;
}

/**
 * Brings images into the store and meanwhile connects to the nodes, locks them and asks what they
 * have. Where the hook before-push or `bring` has a say, no node is connected before it agreed.
 *
 * @param store where the images are brought to
 * @param bring refuses those that may not be shipped
 * @param mayRefuse whether it may refuse any
 * @throws what `bring` throws; ShipError `usage` when the hook says no, `interrupted`
 */
export async function makeReady(
  context: Context<HooksFlag>,
  nodes: readonly Node[],
  store: BlobStore,
  bring: BringInto,
  mayRefuse: boolean,
): Promise<Ready> {
  await using opening = new Cleanup();
  const packing = opening.use(packEarly(context, store));
  const bringing = bring(store, packing.landed).then(async (images) => {
    await runHook(context, 'before-push');
    return images;
  });
  if (mayRefuse || mayAsk(context, 'before-push')) await bringing;
  const options = sendOptions(context);
  const reaching = reach(context, nodes, opening).then((reached) => {
    const early = opening.use(sendEarly(context, reached.fleet, options));
    packing.begin(reached.asked, early.send);
    return { ...reached, early };
  });
  const [ready, reached] = await together(context.output, bringing, reaching);
  const opened = opening.move();
  const { make: makeWire } = packing;
  return {
    ready,
    ...reached,
    makeWire,
    options,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function reach(context: Context, nodes: readonly Node[], opening: Cleanup) {
  const beside = { overlaps: true };
  const connected = opening.use(await connectFleet(context, nodes, beside));
  const fleet = opening.use(await lockFleet(context, connected, beside));
  return { fleet, asked: askNodes(context, fleet) };
}
