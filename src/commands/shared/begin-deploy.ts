import { Cleanup } from '../../core/cleanup.ts';
import { toShipError } from '../../core/errors.ts';
import type { ImageIdentity } from '../../core/image.ts';
import { together } from '../../output/together.ts';
import type { Context } from '../command.ts';
import { loadClient, openClusterAccess } from './cluster.ts';
import type { DeployFlags } from './deploy-flags.ts';
import type { DeployPlace } from './rollout.ts';
import { connectFleet } from './fleet.ts';
import { mayAsk, runHook } from './hooks.ts';
import type { LockedFlag } from './shipped-images.ts';
import { requireFitting } from './values-checks.ts';

/** All that a deploy begins with. */
export interface BegunDeploy extends AsyncDisposable {
  readonly images: readonly ImageIdentity[];
  readonly place: DeployPlace;
}

/**
 * Brings the images, and meanwhile connects to nodes and cluster and looks whether the values fit the
 * machines: what does not stops the rest. Where the lock or the hook before-deploy has a say, no node
 * is connected before it agreed.
 *
 * @param bring gives the images, or refuses them
 * @throws what `bring` throws; ShipError `config` for values that do not fit, `usage` when the hook
 * says no
 */
export async function beginDeploy(
  context: Context<DeployFlags & LockedFlag>,
  bring: (context: Context<DeployFlags & LockedFlag>) => Promise<readonly ImageIdentity[]>,
): Promise<BegunDeploy> {
  await using opening = new Cleanup();
  const agreed = async (
    bound: Context<DeployFlags & LockedFlag>,
  ): Promise<readonly ImageIdentity[]> => {
    const images = await bring(bound);
    await runHook(context, 'before-deploy');
    return images;
  };
  const asked = context.flags.frozen === true || mayAsk(context, 'before-deploy');
  const known = asked ? await agreed(context) : undefined;
  const [place, images] = await unlessRefused(
    context,
    reach(context, opening),
    async (bound) => known ?? agreed(bound),
  );
  const opened = opening.move();
  return { images, place, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

async function reach(context: Context<DeployFlags>, opening: Cleanup): Promise<DeployPlace> {
  loadClient().catch(() => undefined);
  const fleet = opening.use(await connectFleet(context, context.config.nodes, { overlaps: true }));
  const [access, around] = await together(
    context.output,
    openClusterAccess(context, fleet).then((opened) => opening.use(opened)),
    requireFitting(context, fleet),
  );
  return { fleet, access, around };
}

/**
 * Looks whether the values fit the machines while `work` begins, and stops it when they do not: a
 * build of minutes is no way to learn of a wrong MTU.
 *
 * @throws ShipError `config` for values that do not fit; what `work` throws
 */
export async function whileFitting<T>(
  context: Context<DeployFlags>,
  work: (context: Context<DeployFlags>) => Promise<T>,
): Promise<T> {
  // No node is connected before the hook agreed.
  if (mayAsk(context, 'before-push')) return work(context);
  const [, done] = await unlessRefused(context, fitMachines(context), work);
  return done;
}

async function fitMachines(context: Context<DeployFlags>): Promise<void> {
  await using fleet = await connectFleet(context, context.config.nodes, { overlaps: true });
  await requireFitting(context, fleet);
}

/** Does both at once; the first one's refusal ends the second, and is what is said. */
function unlessRefused<Flags extends object, A, B>(
  context: Context<Flags>,
  judging: Promise<A>,
  work: (context: Context<Flags>) => Promise<B>,
): Promise<[A, B]> {
  const refused = new AbortController();
  judging.catch((error: unknown) => refused.abort(toShipError(error)));
  const signal = AbortSignal.any([context.signal, refused.signal]);
  return together<[A, B]>(context.output, judging, work({ ...context, signal }));
}
